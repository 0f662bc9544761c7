import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * Adadelta: s <- rho s + (1 - rho) g^2, d = g sqrt(a + epsilon) / sqrt(s + epsilon), a <- rho a + (1 - rho) d^2, p <- p - lr d.
 * Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012. The paper has no learning rate: leave it at 1.
 */
export const adadelta = method({
  source: 'Zeiler, 2012',
  hyperparameters: {
    learningRate: positive(1),
    rho: fraction(0.9),
    epsilon: positive(1e-6),
    weightDecay: nonNegative(0),
  },
  bind: ({ rho, epsilon, weightDecay }) => ({
    kernel: 'adadelta',
    slots: [
      { name: 'squares', initial: 0 },
      { name: 'deltas', initial: 0 },
    ],
    scalars: ({ learningRate }) => [learningRate, rho, 1 - rho, epsilon, weightDecay],
    apply(out, parameters, gradient, [squares, deltas], [rate, keep, take, eps, decay]) {
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = f(gradient[i] + f(decay * p));
        const s = f(f(keep * squares[i]) + f(f(take * g) * g));
        const d = f(f(f(Math.sqrt(f(deltas[i] + eps))) / f(Math.sqrt(f(s + eps)))) * g);
        squares[i] = s;
        deltas[i] = f(f(keep * deltas[i]) + f(f(take * d) * d));
        out[i] = p - rate * d;
      }
    },
  }),
});
