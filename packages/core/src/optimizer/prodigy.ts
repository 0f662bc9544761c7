import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * Prodigy, Adam that finds its own rate: d estimates from below how far the solution is from where the parameters x0 began. With w = sqrt(beta2):
 * m <- beta1 m + (1 - beta1) d g, v <- beta2 v + (1 - beta2) d^2 g^2, r <- w r + (1 - w) lr d^2 g (x0 - p), s <- w s + (1 - w) lr d^2 g,
 * p <- (1 - lr d weightDecay) p - lr d m / (sqrt(v) + d epsilon), d <- max(d, sum(r) / sum |s|) over all parameters of the model.
 * Mishchenko & Defazio, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", 2024, algorithm 4. Leave the learning rate at 1.
 *
 * r is kept element by element, and servers exchange both sums before each update: so d is the same number on all of them.
 */
export const prodigy = method({
  source: 'Mishchenko & Defazio, 2024',
  hyperparameters: {
    learningRate: positive(1),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-8),
    weightDecay: nonNegative(0),
    initialDistance: positive(1e-6),
  },
  bind: ({ beta1, beta2, epsilon, weightDecay, initialDistance }) => ({
    kernel: 'prodigy',
    slots: [
      { name: 'm', initial: 0 },
      { name: 'v', initial: 0 },
      { name: 's', initial: 0 },
      { name: 'r', initial: 0 },
      { name: 'origin', initial: 'parameters' },
    ],
    shared: {
      begin: [initialDistance],
      sums: [{ slot: 'r' }, { slot: 's', absolute: true }],
      next: ([d], [r, s]) => [s > 0 ? Math.max(d, r / s) : d],
    },
    scalars({ learningRate, shared = [initialDistance] }) {
      const [d] = shared;
      const keep = Math.sqrt(beta2);
      return [
        learningRate * d,
        beta1,
        (1 - beta1) * d,
        beta2,
        (1 - beta2) * d * d,
        keep,
        (1 - keep) * learningRate * d * d,
        d * epsilon,
        1 - learningRate * d * weightDecay,
      ];
    },
    apply(out, parameters, gradient, [ms, vs, ss, rs, origin], scalars) {
      const [rate, keep1, take1, keep2, take2, keep, take, eps, shrink] = scalars;
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = gradient[i];
        const m = f(f(keep1 * ms[i]) + f(take1 * g));
        const v = f(f(keep2 * vs[i]) + f(f(take2 * g) * g));
        ms[i] = m;
        vs[i] = v;
        const pull = f(take * g);
        ss[i] = f(f(keep * ss[i]) + pull);
        rs[i] = f(f(keep * rs[i]) + f(pull * f(origin[i] - p)));
        out[i] = f(f(shrink * p) - f(f(rate * m) / f(f(Math.sqrt(v)) + eps)));
      }
    },
  }),
});
