import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * AdamW: Adam, with the decay p <- (1 - lr weightDecay) p apart from the gradient.
 * Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019; the decay is multiplied by lr, as PyTorch has it.
 */
export const adamw = method({
  source: 'Loshchilov & Hutter, 2019',
  hyperparameters: {
    learningRate: positive(0.001),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-8),
    weightDecay: nonNegative(0.01),
  },
  bind: ({ beta1, beta2, epsilon, weightDecay }) => ({
    kernel: 'adamw',
    slots: [
      { name: 'm', initial: 0 },
      { name: 'v', initial: 0 },
    ],
    scalars: ({ count, learningRate }) => [
      learningRate / (1 - beta1 ** count),
      1 / Math.sqrt(1 - beta2 ** count),
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      epsilon,
      1 - learningRate * weightDecay,
    ],
    apply(out, parameters, gradient, [ms, vs], [rate, correction, keep1, take1, keep2, take2, eps, shrink]) {
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i];
        const m = f(f(keep1 * ms[i]) + f(take1 * g));
        const v = f(f(keep2 * vs[i]) + f(f(take2 * g) * g));
        ms[i] = m;
        vs[i] = v;
        const p = f(shrink * parameters[i]);
        out[i] = f(p - f(f(rate * m) / f(f(f(Math.sqrt(v)) * correction) + eps)));
      }
    },
  }),
});
