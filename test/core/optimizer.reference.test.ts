import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { expect, test } from 'vitest';
import { randomVector } from './randomVector.ts';

/**
 * One parameter in float64, as the paper's equations say it: (p, g, t, state) -> p. The state begins as zeros under any name.
 * The methods whose trajectories we have from PyTorch are in optimizer.golden.test.ts; here are the others.
 */
type Equations = (p: number, g: number, t: number, state: Record<string, number>) => number;

const cases: { title: string; spec: OptimizerSpec; equations: Equations }[] = [
  {
    title: 'Lion, algorithm 2',
    spec: {
      name: 'lion',
      hyperparameters: { learningRate: 0.01, beta1: 0.9, beta2: 0.99, weightDecay: 0.1 },
    },
    equations(p, g, _t, state) {
      const c = 0.9 * state.m + (1 - 0.9) * g;
      state.m = 0.99 * state.m + (1 - 0.99) * g;
      return p - 0.01 * (Math.sign(c) + 0.1 * p);
    },
  },
  {
    title: 'FTRL-Proximal, algorithm 1',
    spec: { name: 'ftrl', hyperparameters: { learningRate: 0.1, beta: 1, l1: 0.5, l2: 0.2 } },
    equations(p, g, _t, state) {
      const sigma = (Math.sqrt(state.n + g * g) - Math.sqrt(state.n)) / 0.1;
      state.z += g - sigma * p;
      state.n += g * g;
      if (Math.abs(state.z) <= 0.5) return 0;
      return -(state.z - Math.sign(state.z) * 0.5) / ((1 + Math.sqrt(state.n)) / 0.1 + 0.2);
    },
  },
  {
    title: 'Schedule-free AdamW, algorithm 1, with a warm-up',
    spec: {
      name: 'schedule-free',
      hyperparameters: { learningRate: 0.05, beta1: 0.9, beta2: 0.95, weightDecay: 0.1, warmupSteps: 10 },
    },
    equations(y, g, t, state) {
      if (t === 1) [state.z, state.x] = [y, y];
      state.v = 0.95 * state.v + 0.05 * g * g;
      const rate = 0.05 * Math.sqrt(1 - 0.95 ** t) * Math.min(1, t / 10);
      state.z -= (rate * g) / (Math.sqrt(state.v) + 1e-8) + rate * 0.1 * y;
      state.sum += rate ** 2;
      const c = rate ** 2 / state.sum;
      state.x = (1 - c) * state.x + c * state.z;
      return 0.1 * state.z + 0.9 * state.x;
    },
  },
  {
    title: 'RMSprop with momentum',
    spec: { name: 'rmsprop', hyperparameters: { learningRate: 0.01, alpha: 0.9, momentum: 0.8 } },
    equations(p, g, _t, state) {
      state.s = 0.9 * state.s + 0.1 * g * g;
      state.b = 0.8 * state.b + g / (Math.sqrt(state.s) + 1e-8);
      return p - 0.01 * state.b;
    },
  },
  {
    title: 'RMSprop, centered',
    spec: { name: 'rmsprop', hyperparameters: { learningRate: 0.01, alpha: 0.9, centered: true } },
    equations(p, g, _t, state) {
      state.s = 0.9 * state.s + 0.1 * g * g;
      state.a = 0.9 * state.a + 0.1 * g;
      return p - (0.01 * g) / (Math.sqrt(state.s - state.a ** 2) + 1e-8);
    },
  },
  {
    title: 'RAdam with a short memory of squares, algorithm 2',
    spec: { name: 'radam', hyperparameters: { learningRate: 0.01, beta1: 0.9, beta2: 0.9, weightDecay: 0 } },
    equations(p, g, t, state) {
      state.m = 0.9 * state.m + 0.1 * g;
      state.v = 0.9 * state.v + 0.1 * g * g;
      const rhoMax = 2 / (1 - 0.9) - 1;
      const rho = rhoMax - (2 * t * 0.9 ** t) / (1 - 0.9 ** t);
      const moment = state.m / (1 - 0.9 ** t);
      if (rho <= 5) return p - 0.01 * moment;
      const r = Math.sqrt(((rho - 4) * (rho - 2) * rhoMax) / ((rhoMax - 4) * (rhoMax - 2) * rho));
      return p - (0.01 * r * moment * Math.sqrt(1 - 0.9 ** t)) / (Math.sqrt(state.v) + 1e-8);
    },
  },
];

test.each(cases)('$title, over 40 steps', ({ spec, equations }) => {
  const length = 50;
  const optimizer = createOptimizer(spec);
  const learningRate = Number(optimizer.hyperparameters.learningRate);
  const parameters = spec.name === 'ftrl' ? new Float32Array(length) : randomVector(1, length);
  const exact = Float64Array.from(parameters);
  const zeros = () =>
    new Proxy<Record<string, number>>({}, { get: (state, key) => Reflect.get(state, key) ?? 0 });
  const states = Array.from({ length }, zeros);
  const slots = optimizer.slots.map((slot) =>
    optimizer.beginSlot(slot, new Float32Array(length), parameters),
  );
  for (let count = 1; count <= 40; count++) {
    const gradient = randomVector(count + 1, length);
    optimizer.update(parameters, parameters, gradient, slots, { count, learningRate });
    for (let i = 0; i < length; i++) {
      const before = Math.abs(exact[i]);
      exact[i] = equations(exact[i], gradient[i], count, states[i]);
      // Relative to the greatest of what was added up: a parameter may pass near 0.
      const size = Math.max(before, Math.abs(exact[i]), 0.01);
      expect(Math.abs(parameters[i] - exact[i]) / size).toBeLessThan(1e-5);
    }
  }
});
