import { method } from './Optimizer.ts';
import { flag, fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * RMSprop: s <- alpha s + (1 - alpha) g^2, u = g / (sqrt(s) + epsilon), p <- p - lr u.
 * Centered, s is replaced by the variance s - a^2 with a <- alpha a + (1 - alpha) g; with momentum, u by b <- momentum b + u.
 * Tieleman & Hinton, "Lecture 6.5 - RMSProp", 2012; centered and momentum as in Graves, "Generating Sequences with Recurrent Neural
 * Networks", 2013; epsilon outside the root, as PyTorch has it.
 */
export const rmsprop = method({
  source: 'Tieleman & Hinton, 2012',
  hyperparameters: {
    learningRate: positive(0.01),
    alpha: fraction(0.99),
    epsilon: positive(1e-8),
    momentum: fraction(0),
    centered: flag(false),
    weightDecay: nonNegative(0),
  },
  bind: ({ alpha, epsilon, momentum, centered, weightDecay }) => {
    const moving = momentum > 0;
    return {
      kernel: `rmsprop${centered ? 'Centered' : ''}${moving ? 'Momentum' : ''}`,
      slots: [
        { name: 'squares', initial: 0 },
        ...(centered ? [{ name: 'average', initial: 0 }] : []),
        ...(moving ? [{ name: 'momentum', initial: 0 }] : []),
      ],
      scalars: ({ learningRate }) => [learningRate, alpha, 1 - alpha, epsilon, weightDecay, momentum],
      apply(out, parameters, gradient, slots, [rate, keep, take, eps, decay, mu]) {
        const squares = slots[0];
        const average = slots[1];
        const buffer = slots[centered ? 2 : 1];
        for (let i = 0; i < out.length; i++) {
          const p = parameters[i];
          const g = f(gradient[i] + f(decay * p));
          const s = f(f(keep * squares[i]) + f(f(take * g) * g));
          squares[i] = s;
          let variance = s;
          if (centered) {
            const a = f(f(keep * average[i]) + f(take * g));
            average[i] = a;
            const difference = f(s - f(a * a));
            // Rounding can take it below 0, where the root is NaN.
            variance = Math.max(difference, 0);
          }
          const root = f(f(Math.sqrt(variance)) + eps);
          if (moving) {
            const b = f(f(mu * buffer[i]) + f(g / root));
            buffer[i] = b;
            out[i] = p - rate * b;
          } else {
            out[i] = f(p - f(f(rate * g) / root));
          }
        }
      },
    };
  },
});
