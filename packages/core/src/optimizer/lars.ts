import { norm } from './norm.ts';
import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * LARS, for large batches: every tensor W has a rate of its own, trust |W| / (|G| + weightDecay |W|), or trust where one of the norms is 0 (of which the paper
 * says nothing; 1, as some have it, would tear biases that begin at 0);
 * b <- momentum b + lr rate (G + weightDecay W), W <- W - b.
 * You, Gitman & Ginsburg, "Large Batch Training of Convolutional Networks", 2017, algorithm 1.
 */
export const lars = method({
  source: 'You, Gitman & Ginsburg, 2017',
  hyperparameters: {
    learningRate: positive(1),
    momentum: fraction(0.9),
    trust: positive(0.001),
    weightDecay: nonNegative(0.0005),
  },
  bind: ({ momentum, trust, weightDecay }) => ({
    kernel: 'lars',
    wholeTensors: true,
    slots: [{ name: 'momentum', initial: 0 }],
    scalars: ({ learningRate }) => [learningRate, momentum, weightDecay],
    apply(out, parameters, gradient, [buffer], [rate, mu, decay]) {
      const size = norm(parameters);
      const slope = norm(gradient);
      const local = size > 0 && slope > 0 ? (trust * size) / (slope + weightDecay * size) : trust;
      const step = f(rate * local);
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const b = f(f(mu * buffer[i]) + f(step * f(gradient[i] + f(decay * p))));
        buffer[i] = b;
        out[i] = p - b;
      }
    },
  }),
});
