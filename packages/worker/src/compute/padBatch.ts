import { invariant } from '@tributary/core/errors/invariant.ts';
import type { Batch, BatchArray } from '../data/Dataset.ts';

/**
 * A short batch made up to `examples` by repeating its last one, so that the program compiled for whole batches serves it too. The new field
 * `weight` is 1 for the true examples and 0 for the others: a loss that takes it gives the mean over the true ones alone.
 */
export function padBatch(batch: Batch, examples: number): Batch {
  const [first] = Object.values(batch);
  const present = first?.shape[0] ?? 0;
  invariant(present > 0 && present <= examples, `${present} examples cannot be made up to ${examples}`);
  const weight = new Float32Array(examples).fill(1, 0, present);
  const padded = Object.entries(batch).map(([field, array]) => [field, repeatLast(array, examples)] as const);
  return { ...Object.fromEntries(padded), weight: { shape: [examples], data: weight } };
}

function repeatLast({ shape, data }: BatchArray, examples: number): BatchArray {
  const [present, ...rest] = shape;
  const width = data.length / present;
  const all =
    data instanceof Int32Array ? new Int32Array(examples * width) : new Float32Array(examples * width);
  all.set(data);
  for (let row = present; row < examples; row++)
    all.copyWithin(row * width, (present - 1) * width, present * width);
  return { shape: [examples, ...rest], data: all };
}
