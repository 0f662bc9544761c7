import { norm } from './norm.ts';
import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * LAMB, Adam for large batches: m and v as in Adam, u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay W,
 * W <- W - lr |W| / |u| u for every tensor W; where one of the norms is 0 their ratio is 1.
 * You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020, algorithm 2, phi the identity.
 */
export const lamb = method({
  source: 'You et al., 2020',
  hyperparameters: {
    learningRate: positive(0.001),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-6),
    weightDecay: nonNegative(0.01),
  },
  bind: ({ beta1, beta2, epsilon, weightDecay }) => ({
    kernel: 'lamb',
    wholeTensors: true,
    slots: [
      { name: 'm', initial: 0 },
      { name: 'v', initial: 0 },
    ],
    scalars: ({ count, learningRate }) => [
      learningRate,
      1 / (1 - beta1 ** count),
      1 / Math.sqrt(1 - beta2 ** count),
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      epsilon,
      weightDecay,
    ],
    apply(out, parameters, gradient, [ms, vs], scalars) {
      const [rate, first, second, keep1, take1, keep2, take2, eps, decay] = scalars;
      const size = norm(parameters);
      const moves = new Float32Array(out.length);
      for (let i = 0; i < moves.length; i++) {
        const g = gradient[i];
        const m = f(f(keep1 * ms[i]) + f(take1 * g));
        const v = f(f(keep2 * vs[i]) + f(f(take2 * g) * g));
        ms[i] = m;
        vs[i] = v;
        const adam = f(f(first * m) / f(f(f(Math.sqrt(v)) * second) + eps));
        moves[i] = f(adam + f(decay * parameters[i]));
      }
      const length = norm(moves);
      const step = f(size > 0 && length > 0 ? (rate * size) / length : rate);
      for (let i = 0; i < out.length; i++) out[i] = parameters[i] - f(step * moves[i]);
    },
  }),
});
