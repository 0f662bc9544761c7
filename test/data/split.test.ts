import type { DataSource } from '@tributary/worker/data/Dataset.ts';
import { inMemory } from '@tributary/worker/data/inMemory.ts';
import { split } from '@tributary/worker/data/split.ts';
import { take } from '@tributary/worker/data/take.ts';
import { expect, test } from 'vitest';
import { failure, readAll } from './readAll.ts';

const source = inMemory({ x: Int32Array.from(Array(100).keys()) });
const values = async (part: DataSource<'x'>) => [...(await readAll(part)).x.data];

test('both parts together are the whole, by chance of the seed', async () => {
  const { train, test } = split(source, { test: 0.2 });
  const [trained, tested] = [await values(train), await values(test)];
  expect(tested).toHaveLength(20);
  expect([...trained, ...tested].sort((a, b) => a - b)).toEqual([...Array(100).keys()]);
  expect(tested).not.toEqual([...tested].sort((a, b) => a - b));
  expect(await values(split(source, { test: 0.2, seed: 1 }).test)).toEqual(tested);
  expect(await values(split(source, { test: 0.2, seed: 2 }).test)).not.toEqual(tested);
});

test('both parts read one open data set, which is closed with the last of them', async () => {
  const events: string[] = [];
  const watched: DataSource<'x'> = {
    description: 'watched',
    async open() {
      events.push('open');
      return { ...(await source.open()), close: async () => void events.push('close') };
    },
  };
  const parts = split(watched, { test: 0.5 });
  const [train, test] = await Promise.all([parts.train.open(), parts.test.open()]);
  expect(events).toEqual(['open']);
  await train.close();
  expect(events).toEqual(['open']);
  await test.close();
  expect(events).toEqual(['open', 'close']);
  await (await parts.train.open()).close();
  expect(events).toEqual(['open', 'close', 'open', 'close']);
});

test('a source that cannot be opened is tried again the next time', async () => {
  let tries = 0;
  const parts = split<'x'>(
    {
      description: 'late',
      open: async () => {
        if (tries++ === 0) throw new Error('not yet');
        return source.open();
      },
    },
    { test: 0.5 },
  );
  await expect(parts.train.open()).rejects.toThrow('not yet');
  expect((await parts.train.open()).size).toBe(50);
});

test('a part that would be empty and a fraction that is none are refused', async () => {
  expect((await failure(split(source, { test: 0.001 }).train)).message).toBe(
    '100 examples in memory: 0.001 of 100 examples leaves one part of the split empty',
  );
  expect(() => split(source, { test: 20 })).toThrow('must hold back a fraction between 0 and 1');
});

test('take gives the first examples, and not more than there are', async () => {
  expect(await values(take(source, 3))).toEqual([0, 1, 2]);
  expect((await failure(take(source, 101))).message).toBe(
    'first 101 of 100 examples in memory: there are 100 examples',
  );
  expect(() => take(source, 0)).toThrow('must give a whole number above 0');
});
