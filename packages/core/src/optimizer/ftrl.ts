import { method } from './Optimizer.ts';
import { nonNegative, positive } from './options.ts';
import { requireConstantRate } from './requireConstantRate.ts';

const f = Math.fround;

/**
 * FTRL-Proximal, for sparse models: sigma = (sqrt(n + g^2) - sqrt(n)) / lr, z <- z + g - sigma p, n <- n + g^2,
 * p <- 0 where |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / lr + l2).
 * McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013, algorithm 1.
 *
 * The closed form for p holds for one learning rate alone: n is the method's own schedule. It forgets what the parameters began as,
 * and is meant for those that begin at 0.
 */
export const ftrl = method({
  source: 'McMahan et al., 2013',
  constantRate: true,
  hyperparameters: {
    learningRate: positive(0.1),
    beta: nonNegative(1),
    l1: nonNegative(0),
    l2: nonNegative(0),
    initialAccumulator: nonNegative(0),
  },
  bind: (hyperparameters) => ({
    kernel: 'ftrl',
    slots: [
      { name: 'z', initial: 0 },
      { name: 'n', initial: hyperparameters.initialAccumulator },
    ],
    scalars: ({ learningRate }) => {
      requireConstantRate('ftrl', learningRate, hyperparameters.learningRate);
      const { beta, l1, l2 } = hyperparameters;
      return [1 / learningRate, l1, beta / learningRate + l2];
    },
    apply(out, parameters, gradient, [zs, ns], [inverseRate, l1, offset]) {
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i];
        const n = f(ns[i] + f(g * g));
        const root = f(Math.sqrt(n));
        const sigma = f(f(root - f(Math.sqrt(ns[i]))) * inverseRate);
        const z = f(f(zs[i] + g) - f(sigma * parameters[i]));
        ns[i] = n;
        zs[i] = z;
        const shrunk = z > l1 ? f(l1 - z) : z < -l1 ? f(-l1 - z) : 0;
        // Where the gradient has always been 0 and beta and l2 are 0, the denominator is too; so is the numerator.
        out[i] = shrunk === 0 ? 0 : f(shrunk / f(f(root * inverseRate) + offset));
      }
    },
  }),
});
