import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * Heavy ball: d = g + weightDecay p, b <- momentum b + d, p <- p - lr b.
 * Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; in the form of PyTorch, where lr may change between steps.
 */
export const momentum = method({
  source: 'Polyak, 1964',
  hyperparameters: { learningRate: positive(0.01), momentum: fraction(0.9), weightDecay: nonNegative(0) },
  bind: ({ momentum, weightDecay }) => ({
    kernel: 'momentum',
    slots: [{ name: 'momentum', initial: 0 }],
    scalars: ({ learningRate }) => [learningRate, momentum, weightDecay],
    apply(out, parameters, gradient, [buffer], [rate, mu, decay]) {
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = decay === 0 ? gradient[i] : f(gradient[i] + decay * p);
        const b = f(f(mu * buffer[i]) + g);
        buffer[i] = b;
        out[i] = p - rate * b;
      }
    },
  }),
});
