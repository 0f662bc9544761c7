import { method } from './Optimizer.ts';
import { flag, fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * Adam: m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
 * p <- p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), where g includes weightDecay p.
 * Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015. With amsgrad, v in the last line is the greatest v so far:
 * Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", 2018.
 */
export const adam = method({
  source: 'Kingma & Ba, 2015',
  hyperparameters: {
    learningRate: positive(0.001),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-8),
    weightDecay: nonNegative(0),
    amsgrad: flag(false),
  },
  bind: ({ beta1, beta2, epsilon, weightDecay, amsgrad }) => ({
    kernel: amsgrad ? 'amsgrad' : 'adam',
    slots: [
      { name: 'm', initial: 0 },
      { name: 'v', initial: 0 },
      ...(amsgrad ? [{ name: 'vMax', initial: 0 }] : []),
    ],
    scalars: ({ count, learningRate }) => [
      learningRate / (1 - beta1 ** count),
      1 / Math.sqrt(1 - beta2 ** count),
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      epsilon,
      weightDecay,
    ],
    apply(out, parameters, gradient, slots, [rate, correction, keep1, take1, keep2, take2, eps, decay]) {
      const [ms, vs, greatest] = slots;
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = f(gradient[i] + f(decay * p));
        const m = f(f(keep1 * ms[i]) + f(take1 * g));
        let v = f(f(keep2 * vs[i]) + f(f(take2 * g) * g));
        ms[i] = m;
        vs[i] = v;
        if (amsgrad) {
          v = Math.max(greatest[i], v);
          greatest[i] = v;
        }
        out[i] = f(p - f(f(rate * m) / f(f(f(Math.sqrt(v)) * correction) + eps)));
      }
    },
  }),
});
