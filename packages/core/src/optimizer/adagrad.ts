import { method } from './Optimizer.ts';
import { nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * Adagrad: s <- s + g^2, p <- p - lr g / (sqrt(s) + epsilon), where g includes weightDecay p.
 * Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011.
 */
export const adagrad = method({
  source: 'Duchi, Hazan & Singer, 2011',
  hyperparameters: {
    learningRate: positive(0.01),
    epsilon: positive(1e-10),
    initialAccumulator: nonNegative(0),
    weightDecay: nonNegative(0),
  },
  bind: ({ epsilon, initialAccumulator, weightDecay }) => ({
    kernel: 'adagrad',
    slots: [{ name: 'sum', initial: initialAccumulator }],
    scalars: ({ learningRate }) => [learningRate, epsilon, weightDecay],
    apply(out, parameters, gradient, [sum], [rate, eps, decay]) {
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = f(gradient[i] + f(decay * p));
        const s = f(sum[i] + f(g * g));
        sum[i] = s;
        out[i] = f(p - f(f(rate * g) / f(f(Math.sqrt(s)) + eps)));
      }
    },
  }),
});
