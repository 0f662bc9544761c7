/** Squared norms of gradients of two sizes: the mean over several of `smallExamples` each, and that of the mean of them all. */
export interface GradientNorms {
  readonly small: number;
  readonly smallExamples: number;
  readonly big: number;
  readonly bigExamples: number;
}

/** tr(S), S the covariance of the gradients of single examples, and |G|^2, G their mean. */
export interface NoiseEstimate {
  readonly noise: number;
  readonly signal: number;
}

/**
 * Both without bias, so that either may come out below 0: a mean over b examples has E |g|^2 = |G|^2 + tr(S) / b, which for two b are two equations. The quotient of
 * long means of them is the simple noise scale tr(S) / |G|^2. McCandlish, Kaplan & Amodei, "An Empirical Model of Large-Batch Training", 2018, appendix A.1.
 */
export function estimateNoise({ small, smallExamples, big, bigExamples }: GradientNorms): NoiseEstimate {
  return {
    noise: (small - big) / (1 / smallExamples - 1 / bigExamples),
    signal: (bigExamples * big - smallExamples * small) / (bigExamples - smallExamples),
  };
}
