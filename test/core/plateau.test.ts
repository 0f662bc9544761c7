import { afterStep, plateauBegin } from '@tributary/core/optimizer/plateau.ts';
import { expect, test } from 'vitest';

const options = { everySteps: 2, factor: 0.5, patience: 1, threshold: 0.1, finalFactor: 0.2 };

/** The factor after each step, given the mean loss of each. */
function factors(losses: readonly number[], change: Partial<typeof options> = {}): number[] {
  let state = plateauBegin;
  return losses.map((loss) => {
    state = afterStep(state, { ...options, ...change }, loss * 4, 4);
    return state[0];
  });
}

test('the rate falls after more than `patience` windows without a fall of the mean loss, and the count begins anew', () => {
  // Means of windows: 10, 8 (fell), 7.9 and 7.5 (not by a tenth): lowered. Then 6 (fell), 6, 6: lowered.
  expect(factors([10, 10, 8, 8, 7, 8.8, 7.5, 7.5, 6, 6, 6, 6, 6, 6])).toEqual([
    ...[1, 1, 1, 1, 1, 1, 1, 0.5],
    ...[0.5, 0.5, 0.5, 0.5, 0.5, 0.25],
  ]);
  expect(factors(new Array(40).fill(3)).at(-1)).toBe(0.2);
  expect(factors([3, 2, 3, 2, 3, 2], { everySteps: 1, patience: 0 })).toEqual([1, 1, 0.5, 0.25, 0.2, 0.2]);
});

test('below zero too a loss has to fall by its part, and steps count by their examples', () => {
  expect(factors([-10, -10, -10.5, -10.5, -12, -12], { patience: 0 })).toEqual([1, 1, 1, 0.5, 0.5, 0.5]);
  let state = afterStep(plateauBegin, options, 30, 10);
  state = afterStep(state, options, 0, 0);
  expect(state[1]).toBe(3);
});
