import { createLayout } from '@tributary/core/layout/Layout.ts';
import { steihaug } from '@tributary/worker/methods/search/steihaug.ts';
import { createStepMethod } from '@tributary/worker/methods/table.ts';
import { expect, test } from 'vitest';
import { FunctionContext, type TestFunction } from './functionContext.ts';
import { golden, logistic, rosenbrock, saddle } from './functions.ts';

function newtonCgOn(fn: TestFunction, start: number[], hyperparameters: Record<string, number> = {}) {
  const layout = createLayout([{ name: 'w', shape: [start.length] }]);
  const method = createStepMethod({ name: 'newton-cg', hyperparameters }, layout);
  return { method, context: new FunctionContext(fn, start, method) };
}

const productWith = (rows: number[][]) => async (vector: Float64Array) =>
  Float64Array.from(rows, (row) => row.reduce((sum, value, k) => sum + value * vector[k], 0));

test('inside the region the step solves the system, and the model foresees what it gains', async () => {
  const rows = [
    [4, 1, 0],
    [1, 3, 1],
    [0, 1, 2],
  ];
  const gradient = Float64Array.of(1, -2, 3);
  const options = { radius: 100, tolerance: 1e-12, iterationsMax: 10 };
  const { step, foreseen, atBorder } = await steihaug(gradient, productWith(rows), options);
  (await productWith(rows)(step)).forEach((value, index) => {
    expect(value).toBeCloseTo(-gradient[index], 10);
  });
  expect(atBorder).toBe(false);
  expect(foreseen).toBeCloseTo(step.reduce((sum, value, k) => sum + gradient[k] * value, 0) / 2, 10);
});

test('too long a step, or a direction of negative curvature, ends at the border and still goes down', async () => {
  for (const rows of [
    [
      [1, 0],
      [0, 2],
    ],
    [
      [-1, 0],
      [0, 2],
    ],
  ]) {
    const gradient = Float64Array.of(3, 1);
    const options = { radius: 0.5, tolerance: 1e-12, iterationsMax: 10 };
    const { step, foreseen, atBorder } = await steihaug(gradient, productWith(rows), options);
    expect(Math.hypot(...step)).toBeCloseTo(0.5, 12);
    expect(atBorder).toBe(true);
    const curved = await productWith(rows)(step);
    expect(foreseen).toBeCloseTo(
      step.reduce((sum, value, k) => sum + gradient[k] * value + (value * curved[k]) / 2, 0),
      12,
    );
    expect(foreseen).toBeLessThan(0);
  }
});

test("logistic regression comes to the fixture's minimum without a Hessian", async () => {
  const { method, context } = newtonCgOn(logistic, new Array(31).fill(0));
  for (let step = 0; step < 15; step++) await method.step(context);
  context.parameters.forEach((weight, index) => {
    expect(weight).toBeCloseTo(golden.final_weights[index], 7);
  });
  // One gradient to begin with and one for each step: no step needs another pass.
  expect(context.passes).toMatchObject({ gradient: 16, hessian: 0, loss: 0 });
});

test('a curved valley and a saddle: the loss never rises, and the region follows the model', async () => {
  const valley = newtonCgOn(rosenbrock, [-1.2, 1]);
  let before = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 60; step++) {
    const loss = await valley.method.step(valley.context);
    expect(loss).toBeLessThanOrEqual(before);
    before = loss;
  }
  expect(Array.from(valley.context.parameters)).toEqual([expect.closeTo(1, 8), expect.closeTo(1, 8)]);

  const { method, context } = newtonCgOn(saddle, [0.05, 1]);
  for (let step = 0; step < 30; step++) await method.step(context);
  expect(Array.from(context.parameters)).toEqual([expect.closeTo(1, 8), expect.closeTo(0, 8)]);
});

test('a step that would raise the loss, or make it infinite, is not taken, and the next one is shorter', async () => {
  const wall: TestFunction = {
    loss: ({ 0: x }) => (x > 0 ? x : Number.NaN),
    gradient: () => [1],
    hessian: () => [[0]],
  };
  const { method, context } = newtonCgOn(wall, [0.5], { radius: 1 });
  await method.step(context);
  expect(context.parameters[0]).toBe(0.5);
  expect(context.state('radius')[0]).toBe(0.25);
  await method.step(context);
  expect(context.parameters[0]).toBe(0.25);
});
