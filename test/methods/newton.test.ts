import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createStepMethod } from '@tributary/worker/methods/table.ts';
import { expect, test } from 'vitest';
import { FunctionContext, type TestFunction } from './functionContext.ts';
import { golden, logistic, rosenbrock, saddle } from './functions.ts';

function newtonOn(fn: TestFunction, start: number[], hyperparameters: Record<string, number> = {}) {
  const layout = createLayout([{ name: 'w', shape: [start.length] }]);
  const method = createStepMethod({ name: 'newton', hyperparameters }, layout);
  return { method, context: new FunctionContext(fn, start, method) };
}

test('in float64 every iterate is that of the fixture, and a step is three passes over the data', async () => {
  const { method, context } = newtonOn(logistic, new Array(31).fill(0));
  const losses = [];
  for (const _ of golden.loss_after_iteration) losses.push(await method.step(context));
  losses.forEach((loss, iteration) => {
    expect(loss).toBeCloseTo(golden.loss_after_iteration[iteration], 12);
  });
  context.parameters.forEach((weight, index) => {
    expect(weight).toBeCloseTo(golden.final_weights[index], 9);
  });
  const steps = losses.length;
  expect(context.passes).toMatchObject({ gradient: steps, hessian: steps, loss: steps, hessianVector: 0 });
});

test('near the minimum the error is squared by every step', async () => {
  const { method, context } = newtonOn(logistic, new Array(31).fill(0));
  const errors: number[] = [];
  for (let step = 0; step <= 8; step++) {
    errors.push(Math.hypot(...context.parameters.map((w, index) => w - golden.final_weights[index])));
    await method.step(context);
  }
  // From an error below 1 on, and as far as the fixture's digits show it.
  const pairs = errors.slice(1).map((error, index) => [errors[index], error]);
  const near = pairs.filter(([before, after]) => before < 1 && after > 1e-9);
  expect(near.length).toBeGreaterThanOrEqual(2);
  for (const [before, after] of near) expect(after).toBeLessThan(before ** 2);
  expect(errors.at(-1)).toBeLessThan(1e-8);
});

test('the search and the shift lead through a curved valley and away from a saddle', async () => {
  const valley = newtonOn(rosenbrock, [-1.2, 1]);
  for (let step = 0; step < 25; step++) await valley.method.step(valley.context);
  expect(Array.from(valley.context.parameters)).toEqual([expect.closeTo(1, 10), expect.closeTo(1, 10)]);
  // Full steps alone would not fall at every step here.
  expect(valley.context.passes.loss).toBeGreaterThan(25);

  const { method, context } = newtonOn(saddle, [0.05, 1]);
  let before = saddle.loss(context.parameters);
  for (let step = 0; step < 30; step++) {
    await method.step(context);
    const after = saddle.loss(context.parameters);
    expect(after).toBeLessThanOrEqual(before);
    before = after;
  }
  expect(Array.from(context.parameters)).toEqual([expect.closeTo(1, 8), expect.closeTo(0, 8)]);
});

test('damping falls while the quadratic model is right, grows while it is wrong, and shortens steps', async () => {
  const quadratic: TestFunction = {
    loss: ({ 0: x }) => x * x,
    gradient: ({ 0: x }) => [2 * x],
    hessian: () => [[2]],
  };
  const right = newtonOn(quadratic, [3], { damping: 2 });
  await right.method.step(right.context);
  expect(right.context.parameters[0]).toBe(1.5);
  expect(right.context.state('damping')[0]).toBe(0.5);

  // At this point the full step overshoots so far that the search has to halve it.
  const steep: TestFunction = {
    loss: ({ 0: x }) => Math.log(Math.cosh(x)),
    gradient: ({ 0: x }) => [Math.tanh(x)],
    hessian: ({ 0: x }) => [[1 / Math.cosh(x) ** 2]],
  };
  const wrong = newtonOn(steep, [2], { damping: 0.01 });
  await wrong.method.step(wrong.context);
  expect(wrong.context.state('damping')[0]).toBeCloseTo(0.04, 12);
  expect(Math.abs(wrong.context.parameters[0])).toBeLessThan(2);
});

test('a loss that is not finite changes nothing and is given back', async () => {
  const broken: TestFunction = { loss: () => Number.NaN, gradient: () => [Number.NaN], hessian: () => [[1]] };
  const { method, context } = newtonOn(broken, [3]);
  expect(await method.step(context)).toBeNaN();
  expect(Array.from(context.parameters)).toEqual([3]);
});

test('a model too large for its Hessian is refused with what it would take and what to use', () => {
  const layout = createLayout([{ name: 'w', shape: [784, 128] }]);
  expect(() => createStepMethod({ name: 'newton', hyperparameters: {} }, layout)).toThrow(
    expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message:
        'newton needs the Hessian of all 100352 parameters: 5035312128 numbers, 40.3 GB in each worker',
      hint: expect.stringMatching(/^At most 4096 parameters are possible\. /),
    }),
  );
});
