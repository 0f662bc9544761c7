import { createLayout } from '@tributary/core/layout/Layout.ts';
import {
  type BlockTask,
  readSolved,
  solveBlocksOf,
  solvedLength,
} from '@tributary/worker/methods/quantum/BlockTask.ts';
import { minimiseModel } from '@tributary/worker/methods/quantum/minimiseModel.ts';
import { createStepMethod } from '@tributary/worker/methods/table.ts';
import { expect, test } from 'vitest';
import { caught } from '../core/caught.ts';
import { FunctionContext, type TestFunction } from './functionContext.ts';
import { golden, logistic, rosenbrock, saddle } from './functions.ts';

type Options = Record<string, number | string>;

function quantumOn(fn: TestFunction, start: number[], hyperparameters: Options = {}) {
  const layout = createLayout([{ name: 'w', shape: [start.length] }]);
  const method = createStepMethod({ name: 'quantum', hyperparameters }, layout);
  return { method, context: new FunctionContext(fn, start, method) };
}

const task: BlockTask = {
  ...{ solver: { kind: 'exact' }, bits: 3, range: 1, seed: 1, blockSize: 2 },
  gradient: Float64Array.of(1, -2, 0.5, 4, -3),
  curvature: Float64Array.of(2, 0.5, 0.5, 1, 3, 0, 0, 2, 1),
};

test('the parts of the ranks add up to the steps of all blocks, for any number of ranks', () => {
  const solved = (rank: number, ranks: number, of: BlockTask) => {
    const target = new Float32Array(solvedLength(of)).fill(7);
    solveBlocksOf(rank, ranks, of, target);
    return target;
  };
  for (const solver of [
    { kind: 'exact' },
    { kind: 'annealing', slices: 4, sweeps: 10 },
    { kind: 'qaoa', depth: 1, shots: 10, evaluationsMax: 10 },
  ] as const) {
    const whole = readSolved(solved(0, 1, { ...task, solver }));
    const known = solver.kind === 'qaoa' ? 3 : 0;
    expect(whole.approximation.blocks).toBe(known);
    for (const ranks of [2, 3, 8]) {
      const parts = Array.from({ length: ranks }, (_, rank) => solved(rank, ranks, { ...task, solver }));
      const sum = readSolved(
        parts[0].map((_, index) => parts.reduce((total, part) => total + part[index], 0)),
      );
      expect(sum.steps, `${solver.kind} on ${ranks} ranks`).toEqual(whole.steps);
      expect(sum.approximation.blocks).toBe(known);
      expect(sum.approximation.optima).toBe(whole.approximation.optima);
      expect(sum.approximation.ratios).toBeCloseTo(whole.approximation.ratios, 5);
    }
  }
});

test('a model of coupled blocks comes to its minimum within the box, and foresees what it gains', async () => {
  // Strongly coupled across the blocks of 2: H = I + 1 1', which solves to s = -(g - (1'g) / 5 1).
  const gradient = Float64Array.of(0.1, -0.3, 0.2, 0.25, -0.15, 0.05);
  const size = gradient.length;
  const rows = Array.from({ length: size }, (_, i) =>
    Array.from({ length: i + 1 }, (_, j) => (i === j ? 2 : 1)),
  );
  const total = gradient.reduce((sum, value) => sum + value, 0);
  const minimum = gradient.map((value) => -value + total / (size + 1));
  const { step, foreseen } = await minimiseModel(
    gradient,
    Float64Array.from(rows.flat()),
    0.5,
    { solver: { kind: 'exact' }, bits: 2, blockSize: 2, refinements: 12, seed: 1 },
    async (of) => {
      const solved = new Float64Array(solvedLength(of));
      solveBlocksOf(0, 1, of, solved);
      return readSolved(solved).steps;
    },
  );
  step.forEach((value, index) => {
    expect(value).toBeCloseTo(minimum[index], 3);
  });
  const atMinimum = gradient.reduce((sum, value, index) => sum + value * minimum[index], 0) / 2;
  expect(foreseen).toBeCloseTo(atMinimum, 6);
});

test.each<[string, Options, number]>([
  ['annealing', {}, 8],
  ['annealing, all 31 weights in one block', { blockSize: 31, bits: 3, refinements: 4 }, 8],
  ['qaoa', { solver: 'qaoa', blockSize: 4 }, 8],
  ['exact', { solver: 'exact', blockSize: 4, bits: 3 }, 8],
])('%s: logistic regression to within one percent of what Newton reaches', async (_, options, steps) => {
  const { method, context } = quantumOn(logistic, new Array(31).fill(0), options);
  let before = Number.POSITIVE_INFINITY;
  for (let step = 0; step < steps; step++) {
    const loss = await method.step(context);
    expect(loss).toBeLessThanOrEqual(before);
    before = loss;
  }
  const least = golden.loss_after_iteration.at(-1)!;
  expect(logistic.loss(context.parameters) / least - 1).toBeLessThan(0.01);
  // One gradient to begin with, and one with one Hessian for each step.
  expect(context.passes).toMatchObject({ gradient: steps + 1, hessian: steps, loss: 0 });
});

test('windows take turns, each with a region of its own, and together come to the minimum', async () => {
  const { method, context } = quantumOn(logistic, new Array(31).fill(0), { window: 12, blockSize: 6 });
  const before = context.parameters.slice();
  await method.step(context);
  expect(context.parameters.subarray(12)).toEqual(before.subarray(12));
  expect(context.parameters.subarray(0, 12)).not.toEqual(before.subarray(0, 12));
  expect(context.state('ranges').length).toBe(3);
  for (let step = 1; step < 45; step++) await method.step(context);
  expect(logistic.loss(context.parameters) / golden.loss_after_iteration.at(-1)! - 1).toBeLessThan(0.02);
});

test('a curved valley and a saddle: the loss never rises, and the minimum is found', async () => {
  const valley = quantumOn(rosenbrock, [-1.2, 1], { bits: 3 });
  let before = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 80; step++) {
    const loss = await valley.method.step(valley.context);
    expect(loss).toBeLessThanOrEqual(before);
    before = loss;
  }
  expect(before).toBeLessThan(1e-6);
  const { method, context } = quantumOn(saddle, [0.05, 1]);
  for (let step = 0; step < 40; step++) await method.step(context);
  expect(Array.from(context.parameters)).toEqual([expect.closeTo(1, 3), expect.closeTo(0, 3)]);
});

test('a step that would raise the loss, or make it infinite, is not taken, and the region shrinks', async () => {
  const wall: TestFunction = {
    loss: ({ 0: x }) => (x > 0.4 ? x : Number.NaN),
    gradient: () => [1],
    hessian: () => [[0]],
  };
  const { method, context } = quantumOn(wall, [0.5], { range: 0.5 });
  await method.step(context);
  expect(context.parameters[0]).toBe(0.5);
  expect(context.state('ranges')[0]).toBe(0.03125);
  for (let step = 0; step < 4; step++) await method.step(context);
  expect(context.parameters[0]).toBeLessThan(0.5);
});

test('what does not fit is refused, with what is possible', () => {
  const refusal = (options: Options) => caught(() => quantumOn(logistic, new Array(31).fill(0), options));
  expect(refusal({ solver: 'qoaa' }).line).toContain('It must be one of annealing, qaoa, exact');
  expect(refusal({ solver: 'qaoa', blockSize: 13, bits: 2 }).line).toMatch(
    /needs 26 qubits; the solver "qaoa" simulates at most 24.*at most 12 parameters/s,
  );
  expect(() => quantumOn(logistic, new Array(31).fill(0), { blockSize: 64, solver: 'qaoa' })).toThrow(
    /62 qubits/,
  );
});
