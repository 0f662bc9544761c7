import type { AdaptiveBatchSpec } from '@tributary/core/job/JobSpec.ts';
import {
  afterBatchStep,
  afterUpdate,
  type BatchState,
  batchBegin,
  batchRateFactor,
  isWhole,
  normsOf,
  resolveAdaptiveBatch,
} from '@tributary/core/optimizer/adaptiveBatch.ts';
import { estimateNoise } from '@tributary/core/optimizer/gradientNoise.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';

const squared = (vector: readonly number[]) => vector.reduce((sum, value) => sum + value * value, 0);

/** Mean gradients of `ranks` ranks at a step: parameter i has mean `mean` and, of single examples, variance (1 + i % 3). */
function drawStep(normal: () => number, mean: number, length: number, examplesOfRanks: readonly number[]) {
  return examplesOfRanks.map((examples) =>
    Array.from({ length }, (_, i) => mean + normal() * Math.sqrt((1 + (i % 3)) / examples)),
  );
}

function normals(seed: number): () => number {
  const uniform = createUniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A step of ranks with these mean gradients, of so many examples each, taken into the batch. */
function addStep(state: BatchState, gradients: readonly number[][], examples: readonly number[]): BatchState {
  const squares = gradients.reduce((sum, gradient, rank) => sum + examples[rank] * squared(gradient), 0);
  return afterBatchStep(
    state,
    examples.reduce((sum, count) => sum + count, 0),
    squares,
  );
}

test.each([
  ['one step of ranks that have as many examples', 1, [4, 4, 4, 4]],
  ['one step of a short batch', 1, [5, 4, 4, 5]],
  ['three steps', 3, [2, 2]],
])('noise and signal are estimated without bias: %s', (_, steps, examples) => {
  const length = 60;
  const [signal, noise] = [length * 0.2 ** 2, length * 2];
  const normal = normals(7);
  const draws = 4000;
  const found = Array.from({ length: draws }, () => {
    let state = batchBegin;
    const sum = new Array<number>(length).fill(0);
    let total = 0;
    for (let step = 0; step < steps; step++) {
      const gradients = drawStep(normal, 0.2, length, examples);
      state = addStep(state, gradients, examples);
      for (const [rank, gradient] of gradients.entries()) {
        total += examples[rank];
        for (let i = 0; i < length; i++) sum[i] += examples[rank] * gradient[i];
      }
    }
    return estimateNoise(normsOf(state, examples.length, squared(sum.map((value) => value / total)))!);
  });
  for (const [name, truth] of [['noise', noise] as const, ['signal', signal] as const]) {
    const values = found.map((estimate) => estimate[name]);
    const mean = values.reduce((sum, value) => sum + value, 0) / draws;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws);
    // Four standard errors of the mean; and they are small enough that a bias would show.
    expect(Math.abs(mean - truth), name).toBeLessThan((4 * spread) / Math.sqrt(draws));
    expect((4 * spread) / Math.sqrt(draws), name).toBeLessThan(0.2 * truth);
  }
});

/** Steps of each update, while gradients of 32 examples a step have this noise scale (in examples) at each step. */
function batches(options: AdaptiveBatchSpec, steps: number, scaleAt: (step: number) => number): number[] {
  const found: number[] = [];
  let state = batchBegin;
  for (let step = 0; step < steps; step++) {
    // Exactly what is to be expected: |G|^2 = 1, four ranks of 8 examples.
    state = afterBatchStep(state, 32, 32 * (1 + scaleAt(step) / 8));
    if (!isWhole(state)) continue;
    const count = state[1];
    found.push(count);
    state = afterUpdate(state, options, normsOf(state, 4, 1 + scaleAt(step) / (32 * count)));
  }
  return found;
}

const options: AdaptiveBatchSpec = { stepsMax: 16, memory: 0.75, rate: 'constant' };

test('a batch has as many examples as the noise scale, between one step and the most', () => {
  expect(batches(options, 400, () => 160).at(-1)).toBe(5);
  expect(batches(options, 400, () => 3).at(-1)).toBe(1);
  expect(batches(options, 400, () => 1e6).at(-1)).toBe(16);
  expect(Math.max(...batches(options, 400, () => 1e6))).toBe(16);
});

test('it waits until the estimate stands, then at most doubles, and follows the noise up and down', () => {
  expect(batches(options, 60, () => 1e6).slice(0, 9)).toEqual([1, 1, 1, 1, 2, 4, 8, 16, 16]);
  const risen = batches(options, 2000, (step) => 32 * (1 + Math.floor(step / 500)));
  expect(risen).toEqual([...risen].sort((a, b) => a - b));
  expect(new Set(risen)).toEqual(new Set([1, 2, 3, 4]));
  expect(batches(options, 2000, (step) => (step < 500 ? 320 : 64)).at(-1)).toBe(2);
});

test('a gradient that is not to be told from its noise wants the most, one without noise a single step', () => {
  const after = (small: number, big: number, state: BatchState = batchBegin) =>
    afterUpdate(
      afterBatchStep(state, 32, 32 * small),
      { ...options, memory: 0 },
      { small, smallExamples: 8, big, bigExamples: 32 },
    )[0];
  // |g|^2 falls by more than noise alone explains: the signal comes out below 0.
  expect(after(1, 0.2, [8, 0, 0, 0, 0, 0, 5])).toBe(16);
  expect(after(1, 1, [8, 0, 0, 0, 0, 0, 5])).toBe(1);
  // Ranks that all skip say nothing.
  const empty = afterBatchStep([3, 2, 0, 0, 5, 4, 9], 0, 0);
  expect(afterUpdate(empty, options, normsOf(empty, 4, 0))).toEqual([3, 0, 0, 0, 5, 4, 9]);
});

test('the learning rate goes with the steps of the batch as the job says', () => {
  const state: BatchState = [4, 4, 128, 1, 0, 0, 0];
  expect(batchRateFactor(state, { ...options, rate: 'constant' })).toBe(1);
  expect(batchRateFactor(state, { ...options, rate: 'sqrt' })).toBe(2);
  expect(batchRateFactor(state, { ...options, rate: 'linear' })).toBe(4);
});

test('options out of range say the range and the source', () => {
  expect(resolveAdaptiveBatch({})).toEqual({ stepsMax: 16, memory: 0.95, rate: 'constant' });
  const line = (given: object) => {
    try {
      resolveAdaptiveBatch(given);
      return '';
    } catch (error) {
      return (error as { line: string }).line;
    }
  };
  expect(line({ stepsMax: 1 })).toMatch(
    /^adaptiveBatch: stepsMax is 1\. It must be a whole number, 2 or more\. .*Source: McCandlish, Kaplan & Amodei, 2018\.$/,
  );
  expect(line({ memory: 1 })).toMatch(/memory is 1\. It must be from 0 to below 1/);
  expect(line({ rate: 'cubic' })).toMatch(/rate is "cubic"\. It must be one of constant, sqrt, linear/);
  expect(line({ stepMax: 3 })).toMatch(/adaptiveBatch has no option "stepMax"\. Did you mean "stepsMax"\?/);
});
