import type { AdaptiveBatchSpec } from '../job/JobSpec.ts';
import { estimateNoise, type GradientNorms } from './gradientNoise.ts';
import { choice, fraction, type OptionTable, resolveOptions, wholeNumber } from './options.ts';

/*
 * A batch as large as the gradient's noise makes worth while. What a rank computes at a step stays the same, and so does where it is in the data; what changes
 * is how many steps' gradients are summed before an update. All of it follows from numbers that every shard has alike and that checkpoints keep.
 */

const options = {
  /** Steps to an update, at most. */
  stepsMax: wholeNumber(2, 16),
  /** What both estimates keep of their old value at an update. */
  memory: fraction(0.95),
  /** How the learning rate goes with the number of steps. */
  rate: choice('constant', 'sqrt', 'linear'),
} satisfies OptionTable;

/** Fills in the defaults. Throws INVALID_ARGUMENT for an unknown option, or one out of range. */
export function resolveAdaptiveBatch(given: Partial<AdaptiveBatchSpec>): AdaptiveBatchSpec {
  return resolveOptions('adaptiveBatch', options, given, 'McCandlish, Kaplan & Amodei, 2018');
}

/**
 * As numbers, for checkpoints: steps that make an update now; of the batch that is open the steps, the examples, and the sum over ranks and steps of (examples x squared norm
 * of the mean gradient); moving averages of noise and signal, as estimateNoise says, both too small in the beginning by the same factor; updates behind them.
 */
export type BatchState = readonly number[];

export const batchBegin: BatchState = [1, 0, 0, 0, 0, 0, 0];

/** After a step of so many examples, with this sum over ranks of (examples x squared norm of the mean gradient). */
export function afterBatchStep(
  [stepsWanted, steps, examples, squares, ...estimates]: BatchState,
  stepExamples: number,
  stepSquares: number,
): BatchState {
  return [stepsWanted, steps + 1, examples + stepExamples, squares + stepSquares, ...estimates];
}

/** Do the steps of the open batch make an update? */
export function isWhole([stepsWanted, steps]: BatchState): boolean {
  return steps >= stepsWanted;
}

/** What the learning rate of the update is multiplied with. */
export function batchRateFactor([, steps]: BatchState, { rate }: AdaptiveBatchSpec): number {
  return { constant: 1, sqrt: Math.sqrt(steps), linear: steps }[rate];
}

/** What the open batch shows, given the squared norm of its mean gradient; undefined of an empty one. */
export function normsOf(
  [, steps, examples, squares]: BatchState,
  ranks: number,
  big: number,
): GradientNorms | undefined {
  if (examples === 0) return undefined;
  return { small: squares / examples, smallExamples: examples / (ranks * steps), big, bigExamples: examples };
}

/**
 * After an update: the next takes as many steps as the noise scale has examples. The first estimates are no more than noise themselves, so nothing changes before there are as
 * many as the memory is long; then the number at most doubles from one update to the next.
 */
export function afterUpdate(
  [stepsWanted, steps, examples, , noise, signal, updates]: BatchState,
  { stepsMax, memory }: AdaptiveBatchSpec,
  norms: GradientNorms | undefined,
): BatchState {
  if (norms === undefined) return [stepsWanted, 0, 0, 0, noise, signal, updates];
  const found = estimateNoise(norms);
  const keep = (old: number, value: number) => memory * old + (1 - memory) * value;
  const [nextNoise, nextSignal] = [keep(noise, found.noise), keep(signal, found.signal)];
  const known = (updates + 1) * (1 - memory) >= 1;
  const next = known ? stepsFor(nextNoise, nextSignal, examples / steps) : stepsWanted;
  return [Math.min(next, 2 * stepsWanted, stepsMax), 0, 0, 0, nextNoise, nextSignal, updates + 1];
}

/** A gradient that is not to be told from its noise wants as many as there may be. */
function stepsFor(noise: number, signal: number, stepExamples: number): number {
  if (noise <= 0) return 1;
  return signal <= 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(noise / signal / stepExamples));
}
