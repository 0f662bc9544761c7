import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { estimateNoise } from '@tributary/core/optimizer/gradientNoise.ts';

export interface NoiseScale {
  /** Examples of a whole step at which noise and signal of the gradient are equally large; NaN if no gradient was to be told from noise. */
  readonly examples: number;
  readonly steps: number;
}

/**
 * The simple gradient noise scale B = tr(S) / |G|^2, S the covariance of the gradients of single examples and G their mean: steps of far fewer examples gain as
 * much from each, steps of far more hardly anything. Both estimates (see estimateNoise) are summed over all steps before the one is divided by the other.
 */
export function noiseScale(metrics: readonly MetricEntry[]): NoiseScale {
  let signal = 0;
  let noise = 0;
  const steps = new Set<number>();
  for (const entry of metrics) {
    if (entry.kind !== 'noise') continue;
    const found = estimateNoise(entry);
    signal += found.signal;
    noise += found.noise;
    steps.add(entry.step);
  }
  return { examples: signal > 0 && noise > 0 ? noise / signal : Number.NaN, steps: steps.size };
}
