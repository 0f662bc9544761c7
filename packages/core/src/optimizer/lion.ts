import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * Lion: c = beta1 m + (1 - beta1) g, p <- (1 - lr weightDecay) p - lr sign(c), m <- beta2 m + (1 - beta2) g.
 * Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023. Every element moves by lr: take a tenth of Adam's.
 */
export const lion = method({
  source: 'Chen et al., 2023',
  hyperparameters: {
    learningRate: positive(1e-4),
    beta1: fraction(0.9),
    beta2: fraction(0.99),
    weightDecay: nonNegative(0),
  },
  bind: ({ beta1, beta2, weightDecay }) => ({
    kernel: 'lion',
    slots: [{ name: 'm', initial: 0 }],
    scalars: ({ learningRate }) => [
      learningRate,
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      1 - learningRate * weightDecay,
    ],
    apply(out, parameters, gradient, [ms], [rate, keep1, take1, keep2, take2, shrink]) {
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i];
        const m = ms[i];
        const c = f(f(keep1 * m) + f(take1 * g));
        ms[i] = f(f(keep2 * m) + f(take2 * g));
        const move = c > 0 ? rate : c < 0 ? -rate : 0;
        out[i] = f(f(shrink * parameters[i]) - move);
      }
    },
  }),
});
