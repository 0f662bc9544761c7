import type { Batch } from '../data/Dataset.ts';

/** The first examples of a batch, as many as there are up to `count`. */
export function firstExamples(batch: Batch, count: number): Batch {
  return Object.fromEntries(
    Object.entries(batch).map(([field, { shape, data }]) => {
      const [examples, ...rest] = shape;
      const kept = Math.min(count, examples);
      return [field, { shape: [kept, ...rest], data: data.subarray(0, (data.length / examples) * kept) }];
    }),
  );
}
