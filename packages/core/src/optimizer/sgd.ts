import { method } from './Optimizer.ts';
import { nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * Stochastic gradient descent: p <- p - lr (g + weightDecay p).
 * Robbins & Monro, "A Stochastic Approximation Method", 1951.
 */
export const sgd = method({
  source: 'Robbins & Monro, 1951',
  hyperparameters: { learningRate: positive(0.01), weightDecay: nonNegative(0) },
  bind: ({ weightDecay }) => ({
    kernel: 'sgd',
    slots: [],
    scalars: ({ learningRate }) => [learningRate, weightDecay],
    apply(out, parameters, gradient, _slots, [rate, decay]) {
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = decay === 0 ? gradient[i] : f(gradient[i] + decay * p);
        out[i] = p - rate * g;
      }
    },
  }),
});
