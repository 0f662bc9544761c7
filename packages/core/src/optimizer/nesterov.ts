import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * Nesterov's accelerated gradient: d = g + weightDecay p, b <- momentum b + d, p <- p - lr (d + momentum b).
 * Nesterov, 1983; in the form of Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
 */
export const nesterov = method({
  source: 'Nesterov, 1983; Sutskever et al., 2013',
  hyperparameters: { learningRate: positive(0.01), momentum: fraction(0.9), weightDecay: nonNegative(0) },
  bind: ({ momentum, weightDecay }) => ({
    kernel: 'nesterov',
    slots: [{ name: 'momentum', initial: 0 }],
    scalars: ({ learningRate }) => [learningRate, momentum, weightDecay],
    apply(out, parameters, gradient, [buffer], [rate, mu, decay]) {
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = decay === 0 ? gradient[i] : f(gradient[i] + decay * p);
        const b = f(f(mu * buffer[i]) + g);
        buffer[i] = b;
        out[i] = p - rate * f(g + mu * b);
      }
    },
  }),
});
