import { readFileSync } from 'node:fs';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createStepMethod } from '@tributary/worker/methods/table.ts';
import { expect, test } from 'vitest';
import { FunctionContext, type TestFunction } from './functionContext.ts';
import { golden, logistic, rosenbrock, rosenbrockChain } from './functions.ts';

interface Trajectory {
  readonly start: number[];
  readonly history: number;
  readonly points: number[][];
  readonly evaluations: number[];
}
const { cases }: { cases: Trajectory[] } = JSON.parse(
  readFileSync(new URL('../fixtures/golden/lbfgs-rosenbrock.json', import.meta.url), 'utf8'),
);

function lbfgsOn(fn: TestFunction, start: number[], history: number, fullBatch = true) {
  const layout = createLayout([{ name: 'w', shape: [start.length] }]);
  const method = createStepMethod({ name: 'lbfgs', hyperparameters: { history } }, layout);
  return { method, context: new FunctionContext(fn, start, method, fullBatch) };
}

test.each(cases)(
  "the iterates of PyTorch's LBFGS on Rosenbrock's function, history $history",
  async (given) => {
    const { method, context } = lbfgsOn(rosenbrockChain, given.start, given.history);
    let before = 1;
    for (const [iteration, point] of given.points.entries()) {
      await method.step(context);
      point.forEach((value, index) => {
        expect(context.parameters[index], `iteration ${iteration}`).toBeCloseTo(value, 6);
      });
      // The first step also computes the gradient that it begins with.
      if (rosenbrockChain.loss(point) > 1e-12)
        expect(context.passes.gradient - before, `iteration ${iteration}`).toBe(given.evaluations[iteration]);
      before = context.passes.gradient;
    }
  },
);

test('the minimum of logistic regression, in about one pass over the data for each step', async () => {
  const { method, context } = lbfgsOn(logistic, new Array(31).fill(0), 10);
  for (let step = 0; step < 24; step++) await method.step(context);
  context.parameters.forEach((weight, index) => {
    expect(weight).toBeCloseTo(golden.final_weights[index], 4);
  });
  expect(context.passes.gradient).toBeLessThanOrEqual(30);
  expect(context.passes.loss + context.passes.hessian + context.passes.hessianVector).toBe(0);
});

test('with other examples at every step the gradient is computed anew, which here changes nothing else', async () => {
  const same = lbfgsOn(rosenbrock, [-1.2, 1], 5);
  const other = lbfgsOn(rosenbrock, [-1.2, 1], 5, false);
  for (let step = 0; step < 10; step++)
    for (const { method, context } of [same, other]) await method.step(context);
  expect(other.context.parameters).toEqual(same.context.parameters);
  expect(other.context.passes.gradient).toBe(same.context.passes.gradient + 9);
});

test('a loss that is not finite changes nothing; one that becomes so on the way is gone around', async () => {
  const broken: TestFunction = { loss: () => Number.NaN, gradient: () => [Number.NaN], hessian: () => [[1]] };
  const nowhere = lbfgsOn(broken, [3], 5);
  expect(await nowhere.method.step(nowhere.context)).toBeNaN();
  expect(Array.from(nowhere.context.parameters)).toEqual([3]);

  // -log x + x, infinite for x <= 0.
  const barrier: TestFunction = {
    loss: ({ 0: x }) => (x > 0 ? x - Math.log(x) : Number.POSITIVE_INFINITY),
    gradient: ({ 0: x }) => [1 - 1 / x],
    hessian: ({ 0: x }) => [[1 / (x * x)]],
  };
  const { method, context } = lbfgsOn(barrier, [0.9], 5);
  for (let step = 0; step < 12; step++) await method.step(context);
  expect(context.parameters[0]).toBeCloseTo(1, 6);
});
