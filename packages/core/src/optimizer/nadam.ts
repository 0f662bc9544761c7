import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * NAdam, Adam with Nesterov's momentum: mu_t = beta1 (1 - 0.96^(t momentumDecay) / 2), M_t = mu_1 ... mu_t; m and v as in Adam,
 * p <- p - lr ((1 - mu_t) / (1 - M_t) g + mu_{t+1} / (1 - M_t mu_t mu_{t+1}) m) / (sqrt(v / (1 - beta2^t)) + epsilon).
 * Dozat, "Incorporating Nesterov Momentum into Adam", 2016; g includes weightDecay p. The paper has 1 - M_{t+1}, that is, without the second
 * mu_t, where PyTorch 1.13 has what stands here; we follow it, since its trajectories are what our users compare with.
 */
export const nadam = method({
  source: 'Dozat, 2016',
  hyperparameters: {
    learningRate: positive(0.002),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-8),
    momentumDecay: nonNegative(0.004),
    weightDecay: nonNegative(0),
  },
  bind: ({ beta1, beta2, epsilon, momentumDecay, weightDecay }) => {
    const momentumAt = (t: number) => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    return {
      kernel: 'nadam',
      slots: [
        { name: 'm', initial: 0 },
        { name: 'v', initial: 0 },
      ],
      scalars: ({ count, learningRate }) => {
        const product = productUpTo(count, momentumAt);
        const current = momentumAt(count);
        const next = momentumAt(count + 1);
        return [
          (learningRate * (1 - current)) / (1 - product),
          (learningRate * next) / (1 - product * current * next),
          1 - beta2 ** count,
          beta1,
          1 - beta1,
          beta2,
          1 - beta2,
          epsilon,
          weightDecay,
        ];
      },
      apply(out, parameters, gradient, [ms, vs], scalars) {
        const [rateOfGradient, rateOfMoment, correction, keep1, take1, keep2, take2, eps, decay] = scalars;
        for (let i = 0; i < out.length; i++) {
          const p = parameters[i];
          const g = f(gradient[i] + f(decay * p));
          const m = f(f(keep1 * ms[i]) + f(take1 * g));
          const v = f(f(keep2 * vs[i]) + f(f(take2 * g) * g));
          ms[i] = m;
          vs[i] = v;
          const root = f(f(Math.sqrt(f(v / correction))) + eps);
          const ahead = f(p - f(f(rateOfGradient * g) / root));
          out[i] = f(ahead - f(f(rateOfMoment * m) / root));
        }
      },
    };
  },
});

/** factor(1) ... factor(count). It only enters as 1 - product, so that we stop where it no longer shows: it need not be kept as state. */
function productUpTo(count: number, factor: (t: number) => number): number {
  let product = 1;
  for (let t = 1; t <= count && product > Number.EPSILON / 4; t++) product *= factor(t);
  return product;
}
