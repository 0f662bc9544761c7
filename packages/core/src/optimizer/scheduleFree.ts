import { averageSlot } from '../layout/slotLayout.ts';
import { method } from './Optimizer.ts';
import { fraction, nonNegative, positive, wholeNumber } from './options.ts';
import { requireConstantRate } from './requireConstantRate.ts';

const f = Math.fround;

/**
 * Schedule-free AdamW: the gradient is taken at y = (1 - beta1) z + beta1 x, between the fast z and the average x, which is what counts in the end.
 * v <- beta2 v + (1 - beta2) g^2, z <- z - rate_t g / (sqrt(v) + epsilon) - rate_t weightDecay y, x <- (1 - c) x + c z, with
 * rate_t = lr sqrt(1 - beta2^t) min(1, t / warmupSteps) and c = rate_t^2 / (rate_1^2 + ... + rate_t^2).
 * Defazio et al., "The Road Less Scheduled", 2024, algorithm 1. The parameters that workers train are y; x is the slot `average`.
 */
export const scheduleFree = method({
  source: 'Defazio et al., 2024',
  constantRate: true,
  hyperparameters: {
    learningRate: positive(0.0025),
    beta1: fraction(0.9),
    beta2: fraction(0.999),
    epsilon: positive(1e-8),
    weightDecay: nonNegative(0),
    warmupSteps: wholeNumber(0, 0),
  },
  bind: ({ learningRate: base, beta1, beta2, epsilon, weightDecay, warmupSteps }) => ({
    kernel: 'scheduleFree',
    slots: [
      { name: 'z', initial: 'parameters' },
      { name: averageSlot, initial: 'parameters' },
      { name: 'v', initial: 0 },
    ],
    scalars: ({ count, learningRate }) => {
      requireConstantRate('schedule-free', learningRate, base);
      const square = relativeSquare(count, beta2, warmupSteps);
      const part = square / sumOfSquares(count, beta2, warmupSteps);
      const rate = learningRate * Math.sqrt(square);
      return [rate, beta2, 1 - beta2, epsilon, rate * weightDecay, part, 1 - part, beta1, 1 - beta1];
    },
    apply(out, parameters, gradient, [zs, xs, vs], scalars) {
      const [rate, keep, take, eps, decay, part, rest, beta, complement] = scalars;
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i];
        const v = f(f(keep * vs[i]) + f(f(take * g) * g));
        vs[i] = v;
        const moved = f(zs[i] - f(f(rate * g) / f(f(Math.sqrt(v)) + eps)));
        const z = f(moved - f(decay * parameters[i]));
        zs[i] = z;
        const x = f(f(rest * xs[i]) + f(part * z));
        xs[i] = x;
        out[i] = f(complement * z) + f(beta * x);
      }
    },
  }),
});

/** (rate_t / lr)^2. */
function relativeSquare(t: number, beta2: number, warmupSteps: number): number {
  return (1 - beta2 ** t) * Math.min(1, t / Math.max(1, warmupSteps)) ** 2;
}

/** Of all steps up to t: one by one in the warm-up, after that as a geometric series, so that no sum has to be kept. */
function sumOfSquares(t: number, beta2: number, warmupSteps: number): number {
  let sum = 0;
  const warm = Math.min(t, warmupSteps);
  for (let i = 1; i <= warm; i++) sum += relativeSquare(i, beta2, warmupSteps);
  const later = t - warm;
  return sum + later - (beta2 ** (warm + 1) * (1 - beta2 ** later)) / (1 - beta2);
}
