import { judgeStep } from '@tributary/core/quantum/step/judgeStep.ts';
import { quantumStep, type Solver } from '@tributary/core/quantum/step/quantumStep.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';
import { blockModel, weightCount } from './logistic.ts';
import { train } from './train.ts';

const annealing: Solver = { kind: 'annealing', slices: 16, sweeps: 100 };
const qaoa: Solver = { kind: 'qaoa', depth: 2, shots: 100, evaluationsMax: 40 };

test.each([
  ['annealing over all 31 parameters, 4 bits each: 124 qubits', annealing, 31, 4, 8],
  ['annealing with one bit a parameter: steps of signs', annealing, 31, 1, 30],
  ['annealing over blocks of 8 parameters, 4 bits each: 32 qubits', annealing, 8, 4, 5],
  ['QAOA over blocks of 4 parameters, 2 bits each: 8 qubits', qaoa, 4, 2, 6],
  ['QAOA over blocks of 4 parameters, 3 bits each: 12 qubits', qaoa, 4, 3, 5],
  ['the exact ground state over blocks of 4 parameters', { kind: 'exact' } as Solver, 4, 4, 4],
])(
  '%s: logistic regression comes within 2 percent of the loss that Newton reaches',
  (_, solver, blockSize, bits, rounds) => {
    const { losses, excess } = train(solver, { blockSize, bits, rounds });
    expect(losses[0]).toBeCloseTo(Math.LN2, 14);
    losses.slice(1).forEach((loss, i) => {
      expect(loss).toBeLessThan(losses[i]);
    });
    expect(excess).toBeLessThan(0.02);
  },
);

test('as the trust region shrinks, the grid does, and the loss becomes that of Newton', () => {
  const { excess } = train(annealing, { blockSize: 8, bits: 4, rounds: 16 });
  expect(excess).toBeLessThan(2e-6);
  expect(excess).toBeGreaterThan(-1e-9);
});

test('the same seed gives the same training', () => {
  const again = () => train(annealing, { blockSize: 16, bits: 2, rounds: 3 });
  expect(again()).toEqual(again());
});

test('the step of the exact solver is the best on the grid, and the others say truly what theirs is worth', () => {
  const model = blockModel(new Float64Array(weightCount), 2, 5);
  const options = { bits: 3, ranges: Float64Array.of(0.4, 0.4, 0.4) };
  const best = quantumStep(model, { ...options, solver: { kind: 'exact' } }, createUniforms(1));
  expect(best.qubits).toBe(9);
  for (const solver of [annealing, qaoa]) {
    const { step, change, solution } = quantumStep(model, { ...options, solver }, createUniforms(1));
    expect(change).toBeCloseTo(solution.energy, 12);
    expect(change).toBeGreaterThanOrEqual(best.change - 1e-12);
    expect(change).toBeLessThan(0);
    for (const move of step) expect(Math.abs(move)).toBeLessThanOrEqual(0.4 + 1e-12);
  }
});

test('a block too large for the simulator is refused with what to do', () => {
  const model = blockModel(new Float64Array(weightCount), 0, 7);
  const step = () =>
    quantumStep(model, { solver: qaoa, bits: 4, ranges: new Float64Array(7).fill(1) }, Math.random);
  expect(step).toThrow(
    'a block of 7 parameters with 4 bits each needs 28 qubits; the solver "qaoa" simulates at most 24',
  );
});

test('a step is taken if the true loss falls, and the trust region follows the model', () => {
  const ranges = Float64Array.of(1, 2);
  const judge = (step: [number, number], predicted: number, actual: number) =>
    judgeStep({ step: Float64Array.from(step), ranges, predicted, actual });
  // As foreseen, and cut short by the region.
  expect(judge([0.2, -2], -1, -0.9)).toEqual({ accepted: true, rangeFactor: 2 });
  expect(judge([0.2, -2], -1, -0.5)).toEqual({ accepted: true, rangeFactor: 1 });
  expect(judge([0.6, 0], -1, -0.9)).toEqual({ accepted: true, rangeFactor: 1 });
  // Far less than foreseen; a fine step on a coarse grid; a rise; nonsense.
  expect(judge([1, 2], -1, -0.2)).toEqual({ accepted: true, rangeFactor: 0.5 });
  expect(judge([0.5, -1], -1, -1)).toEqual({ accepted: true, rangeFactor: 0.5 });
  expect(judge([1, 2], -1, 0.1)).toEqual({ accepted: false, rangeFactor: 0.5 });
  expect(judge([1, 2], -1, Number.NaN)).toEqual({ accepted: false, rangeFactor: 0.5 });
  // The model foresaw a rise, and was wrong.
  expect(judge([1, 2], 0.1, -0.1).accepted).toBe(true);
});
