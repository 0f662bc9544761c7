import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive } from './options.ts';

const f = Math.fround;

/**
 * RAdam: Adam once its second moment rests on enough gradients, momentum before that. With rhoMax = 2 / (1 - beta2) - 1 and
 * rho_t = rhoMax - 2 t beta2^t / (1 - beta2^t): where rho_t > 5, p <- p - lr r_t m / (1 - beta1^t) sqrt(1 - beta2^t) / (sqrt(v) + epsilon),
 * else p <- p - lr m / (1 - beta1^t).
 * Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2020; the threshold 5 and epsilon as in PyTorch; g includes weightDecay p.
 */
export const radam = method({
  source: 'Liu et al., 2020',
  hyperparameters: {
    learningRate: positive(0.001),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-8),
    weightDecay: nonNegative(0),
  },
  bind: ({ beta1, beta2, epsilon, weightDecay }) => ({
    kernel: 'radam',
    slots: [
      { name: 'm', initial: 0 },
      { name: 'v', initial: 0 },
    ],
    scalars: ({ count, learningRate }) => {
      const r = rectification(beta2, count);
      // Adaptive: numerator / root + 0. Plain: 0 / root + 1.
      const [numerator, one, last] = r > 0 ? [Math.sqrt(1 - beta2 ** count), 0, r] : [0, 1, 1];
      const correction = 1 - beta1 ** count;
      return [
        learningRate,
        correction,
        numerator,
        one,
        last,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        epsilon,
        weightDecay,
      ];
    },
    apply(out, parameters, gradient, [ms, vs], scalars) {
      const [rate, correction, numerator, one, last, keep1, take1, keep2, take2, eps, decay] = scalars;
      for (let i = 0; i < out.length; i++) {
        const p = parameters[i];
        const g = f(gradient[i] + f(decay * p));
        const m = f(f(keep1 * ms[i]) + f(take1 * g));
        const v = f(f(keep2 * vs[i]) + f(f(take2 * g) * g));
        ms[i] = m;
        vs[i] = v;
        const adaptive = f(f(numerator / f(f(Math.sqrt(v)) + eps)) + one);
        out[i] = f(p - f(f(f(f(m / correction) * rate) * adaptive) * last));
      }
    },
  }),
});

/** r_t of the paper; 0 while the variance of the second moment is intractable. */
function rectification(beta2: number, count: number): number {
  const rhoMax = 2 / (1 - beta2) - 1;
  const rho = rhoMax - (2 * count * beta2 ** count) / (1 - beta2 ** count);
  if (rho <= 5) return 0;
  return Math.sqrt(((rho - 4) * (rho - 2) * rhoMax) / ((rhoMax - 4) * (rhoMax - 2) * rho));
}
