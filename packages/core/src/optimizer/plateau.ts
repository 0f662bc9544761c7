import { fraction, nonNegative, type OptionTable, type Resolved, upToOne, wholeNumber } from './options.ts';

export const plateauOptions = {
  everySteps: wholeNumber(1),
  factor: fraction(0.1),
  patience: wholeNumber(0, 3),
  threshold: nonNegative(1e-4),
  finalFactor: upToOne(0),
} satisfies OptionTable;

/**
 * What a shard knows of the losses so far, all shards the same, as numbers that a checkpoint keeps: the factor of the rate now; the least mean loss of a window,
 * windows so far, windows since the loss fell; and of the window that goes on steps, examples and the sum of their losses.
 */
export type PlateauState = readonly number[];

export const plateauBegin: PlateauState = [1, 0, 0, 0, 0, 0, 0];

/**
 * After a step with this sum of losses over its examples: the mean loss of each window of `everySteps` steps is compared with the least so far. After more than
 * `patience` windows without a fall by `threshold`, relative to it, the rate is multiplied by `factor`, down to `finalFactor`. As PyTorch's ReduceLROnPlateau
 * does with epochs.
 */
export function afterStep(
  [rate, best, windows, bad, steps, examples, loss]: PlateauState,
  { everySteps, factor, patience, threshold, finalFactor }: Resolved<typeof plateauOptions>,
  stepLoss: number,
  stepExamples: number,
): PlateauState {
  const window = [steps + 1, examples + stepExamples, loss + stepLoss];
  if (window[0] < everySteps) return [rate, best, windows, bad, ...window];
  const mean = window[2] / window[1];
  const next = [0, 0, 0];
  if (windows === 0 || mean < best - threshold * Math.abs(best)) return [rate, mean, windows + 1, 0, ...next];
  if (bad < patience) return [rate, best, windows + 1, bad + 1, ...next];
  return [Math.max(finalFactor, rate * factor), best, windows + 1, 0, ...next];
}
