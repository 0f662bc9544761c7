import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * AdaMax: m <- beta1 m + (1 - beta1) g, u <- max(beta2 u, |g| + epsilon), p <- p - lr / (1 - beta1^t) m / u, where g includes weightDecay p.
 * Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015, section 7.1; epsilon (not in the paper) keeps u above 0, as in PyTorch.
 */
export const adamax = method({
  source: 'Kingma & Ba, 2015',
  hyperparameters: {
    learningRate: positive(0.002),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-8),
    weightDecay: nonNegative(0),
  },
  bind: ({ beta1, beta2, epsilon, weightDecay }) => ({
    kernel: 'adamax',
    slots: [
      { name: 'm', initial: 0 },
      { name: 'u', initial: 0 },
    ],
    scalars: ({ count, learningRate }) => [
      learningRate / (1 - beta1 ** count),
      beta1,
      1 - beta1,
      beta2,
      epsilon,
      weightDecay,
    ],
    apply(out, parameters, gradient, [ms, us], [rate, keep1, take1, keep2, eps, decay]) {
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = f(gradient[i] + f(decay * p));
        const m = f(f(keep1 * ms[i]) + f(take1 * g));
        const u = Math.max(f(keep2 * us[i]), f(Math.abs(g) + eps));
        ms[i] = m;
        us[i] = u;
        out[i] = f(p - f(f(rate * m) / u));
      }
    },
  }),
});
