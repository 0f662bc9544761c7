import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createStepMethod } from '@tributary/worker/methods/table.ts';
import { expect, test } from 'vitest';
import { caught } from '../core/caught.ts';
import { FunctionContext, type TestFunction } from './functionContext.ts';

const hyperparameters = { learningRate: 0.5, damping: 0.1 };
const methodFor = (length: number) =>
  createStepMethod(
    { name: 'quantum-natural-gradient', hyperparameters },
    createLayout([{ name: 'w', shape: [length] }]),
  );

/** Two angles that the states depend on, and a classical weight, to which the metric says nothing. */
const hybrid: TestFunction = {
  loss: ({ 0: a, 1: b, 2: c }) => a + 2 * b + 3 * c,
  gradient: () => [1, 2, 3],
  hessian: () => [],
  metric: () => [
    [0.25, 0.1, 0],
    [0.1, 0.15, 0],
    [0, 0, 0],
  ],
};

test('the step solves (g + damping) d = gradient for the circuit, and is gradient descent elsewhere', async () => {
  const method = methodFor(3);
  const context = new FunctionContext(hybrid, [1, 1, 1], method);
  expect(await method.step(context)).toBe(6);
  // [[0.35, 0.1], [0.1, 0.25]] d = [1, 2]: determinant 0.0775.
  const d = [(0.25 - 0.2) / 0.0775, (0.7 - 0.1) / 0.0775, 3 / 1.1];
  context.parameters.forEach((value, index) => {
    expect(value).toBeCloseTo(1 - 0.5 * d[index], 12);
  });
  expect(context.passes).toMatchObject({ gradient: 1, metric: 1, hessian: 0, loss: 0 });
});

test('nothing moves where the loss is not finite', async () => {
  const method = methodFor(3);
  const context = new FunctionContext({ ...hybrid, loss: () => Number.NaN }, [1, 1, 1], method);
  expect(await method.step(context)).toBeNaN();
  expect(Array.from(context.parameters)).toEqual([1, 1, 1]);
});

test('a model too large for its metric is refused with the size', () => {
  expect(caught(() => methodFor(5000)).line).toMatch(
    /quantum-natural-gradient needs the metric of all 5000 parameters/,
  );
});
