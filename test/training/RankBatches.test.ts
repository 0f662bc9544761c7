import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { Dataset } from '@tributary/worker/data/Dataset.ts';
import { inMemory } from '@tributary/worker/data/inMemory.ts';
import { RankBatches } from '@tributary/worker/training/RankBatches.ts';
import { expect, test } from 'vitest';
import { exampleSpec } from '../support/exampleJob.ts';

/** Examples that tell what is read of them, one read at a time. */
async function watched() {
  const size = 64;
  const source = inMemory({ x: Float32Array.from({ length: size }, (_, row) => row) });
  const whole = await source.open();
  const seen = { reads: 0, underWay: 0, mostUnderWay: 0, fails: false };
  const begun = Promise.withResolvers<void>();
  const data: Dataset = {
    ...whole,
    async read(examples) {
      seen.reads++;
      begun.resolve();
      seen.mostUnderWay = Math.max(seen.mostUnderWay, ++seen.underWay);
      await new Promise((resolve) => setTimeout(resolve, 2));
      seen.underWay--;
      if (seen.fails) throw new Error('the disk is gone');
      return whole.read(examples);
    },
  };
  return { size, data, seen, begun: begun.promise };
}

async function open(changes: Partial<JobSpec> = {}) {
  const { size, data, ...watch } = await watched();
  const spec = exampleSpec({ trainSize: size, batchSize: 4, ranks: 4, ...changes });
  return { batches: new RankBatches(data, spec), plain: new RankBatches(data, spec), ...watch };
}

async function all(batches: RankBatches, rank: number, step: number): Promise<number[][]> {
  const parts = [];
  for await (const { batch } of batches.read(rank, step)) parts.push([...batch.x.data]);
  return parts;
}

const ranks = [0, 1, 2, 3];

/** Until as much was read as there is. */
const readAllAhead = (seen: { reads: number; underWay: number }, reads: number) =>
  expect.poll(() => [seen.reads, seen.underWay]).toEqual([reads, 0]);

test('what was read ahead is not read again, and is the same', async () => {
  const { batches, plain, seen } = await open();
  batches.readAhead(ranks, 3);
  await readAllAhead(seen, 4);
  await batches.rest();
  for (const rank of ranks) {
    const before = seen.reads;
    const found = await all(batches, rank, 3);
    expect(seen.reads).toBe(before);
    expect(found).toEqual(await all(plain, rank, 3));
    // It is kept for one reader.
    expect(await all(batches, rank, 3)).toEqual(found);
    expect(seen.reads).toBe(before + 2);
  }
});

test('whoever comes to read ends it at the next rank, and the data set sees one read at a time', async () => {
  const { batches, plain, seen, begun } = await open();
  batches.readAhead(ranks, 5);
  await begun;
  await batches.rest();
  expect(seen.reads).toBeLessThan(4);
  for (const rank of ranks) expect(await all(batches, rank, 5)).toHaveLength(1);
  expect(seen.reads).toBe(4);
  batches.readAhead(ranks, 6);
  batches.readAhead(ranks, 7);
  await batches.rest();
  expect(seen.mostUnderWay).toBe(1);
  expect(await all(batches, 0, 7)).toEqual(await all(plain, 0, 7));
});

test('of a rank that went away, or of another step, it is forgotten', async () => {
  const { batches, plain, seen } = await open();
  batches.readAhead([0, 1], 2);
  await readAllAhead(seen, 2);
  batches.readAhead([1, 2], 2);
  // Rank 1 is there already.
  await readAllAhead(seen, 3);
  await batches.rest();
  expect(await all(batches, 1, 3)).toEqual(await all(plain, 1, 3));
  expect(await all(batches, 0, 2)).toEqual(await all(plain, 0, 2));
  expect(await all(batches, 2, 2)).toEqual(await all(plain, 2, 2));
  // Two each, but for rank 2.
  expect(seen.reads).toBe(3 + 5);
});

test('of a minibatch in parts the first is read ahead, and all come', async () => {
  const { batches, plain, seen } = await open({ batchSize: 4, microBatches: 2 });
  batches.readAhead([1], 0);
  await readAllAhead(seen, 1);
  await batches.rest();
  const found = await all(batches, 1, 0);
  expect(seen.reads).toBe(2);
  expect(found.map((part) => part.length)).toEqual([2, 2]);
  expect(found).toEqual(await all(plain, 1, 0));
});

test('what cannot be read ahead is told by who needs it', async () => {
  const { batches, seen } = await open();
  seen.fails = true;
  batches.readAhead(ranks, 0);
  await readAllAhead(seen, 1);
  await batches.rest();
  await expect(all(batches, 0, 0)).rejects.toThrow('the disk is gone');
  seen.fails = false;
  expect(await all(batches, 0, 0)).toHaveLength(1);
});
