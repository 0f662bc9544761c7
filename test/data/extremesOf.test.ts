import { limits } from '@tributary/core/limits/limits.ts';
import { csv } from '@tributary/worker/data/csv.ts';
import type { Dataset } from '@tributary/worker/data/Dataset.ts';
import { extremesOf } from '@tributary/worker/data/extremesOf.ts';
import { inMemory } from '@tributary/worker/data/inMemory.ts';
import { split } from '@tributary/worker/data/split.ts';
import { expect, test } from 'vitest';
import { testFile } from './readAll.ts';

const count = 50_000;
const labels = Int32Array.from({ length: count }, (_, example) => example % 10);
labels[17] = -3;
labels[count - 1] = 12;

test('the least and the greatest of every field of whole numbers, wherever they are', async () => {
  const words = Int32Array.from({ length: 3 * count }, (_, place) => (place === 3 * 41_000 + 1 ? 99 : 7));
  const data = await inMemory({
    x: new Float32Array(count),
    y: labels,
    words: { data: words, shape: [count, 3] },
  }).open();
  expect(await extremesOf(data)).toEqual([
    { field: 'y', value: -3, example: 17 },
    { field: 'y', value: 12, example: count - 1 },
    { field: 'words', value: 7, example: 0 },
    { field: 'words', value: 99, example: 41_000 },
  ]);
});

test('a part of a file is looked at by its own examples', async () => {
  const file = await testFile('labels.csv', `x,y\n${Array.from(labels, (y) => `0.5,${y}`).join('\n')}\n`);
  const source = csv(file, { fields: { x: 'x', y: { columns: 'y', dtype: 'int32' } } });
  const { train, test: held } = split(source, { test: 0.5 });
  const found = [];
  for (const part of [train, held]) {
    const data = await part.open();
    const extremes = await extremesOf(data);
    for (const { example, value } of extremes)
      expect((await data.read(Uint32Array.of(example))).y.data[0]).toBe(value);
    found.push(...extremes.map(({ value }) => value));
    await data.close();
  }
  expect(found).toHaveLength(4);
  expect(found).toEqual(expect.arrayContaining([-3, 12]));
});

/** Asks for what it must, and keeps what it was asked. */
function asked(data: Dataset, size = data.size): { data: Dataset; reads: [Uint32Array, unknown][] } {
  const reads: [Uint32Array, unknown][] = [];
  const read = async (examples: Uint32Array, fields?: readonly string[]) => {
    reads.push([examples, fields]);
    return data.read(
      examples.map((example) => example % data.size),
      fields,
    );
  };
  return { data: { ...data, size, read }, reads };
}

test('only fields of whole numbers are read, and none if there are none', async () => {
  const numbers = asked(await inMemory({ x: [0.5, 1], y: Int32Array.of(1, 2) }).open());
  await extremesOf(numbers.data);
  expect(numbers.reads).toEqual([[Uint32Array.of(0, 1), ['y']]]);
  const none = asked(await inMemory({ x: [0.5, 1] }).open());
  expect(await extremesOf(none.data)).toEqual([]);
  expect(none.reads).toEqual([]);
});

test('of very many examples, some from all over', async () => {
  const size = 5 * limits.checkedExamplesMax;
  const { data, reads } = asked(await inMemory({ y: labels }).open(), size);
  await extremesOf(data);
  const examples = reads.flatMap(([part]) => [...part]);
  expect(examples).toHaveLength(limits.checkedExamplesMax);
  expect(examples.slice(0, 3)).toEqual([0, 5, 10]);
  expect(examples.at(-1)).toBe(size - 5);
});
