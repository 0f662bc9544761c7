import { createLayout } from '@tributary/core/layout/Layout.ts';
import { blockElements, partition, partitionTensors } from '@tributary/core/partition/partition.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('shards cover the vector in order, begin at blocks, and are as even as blocks allow', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      fc.integer({ min: 1, max: 100 }),
      (length, shards) => {
        const ranges = partition(length, shards);
        const blocks = Math.ceil(length / blockElements);
        expect(ranges.length).toBe(Math.min(shards, blocks));
        let end = 0;
        const sizes: number[] = [];
        for (const range of ranges) {
          expect(range.begin).toBe(end);
          expect(range.begin % blockElements).toBe(0);
          expect(range.end).toBeGreaterThan(range.begin);
          sizes.push(Math.ceil((range.end - range.begin) / blockElements));
          end = range.end;
        }
        expect(end).toBe(length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 500, seed: 7 },
  );
});

test('a model without parameters is one empty shard', () => {
  expect(partition(0, 4)).toEqual([{ begin: 0, end: 0 }]);
});

test('between tensors: whole tensors each, all of them once, at the borders nearest to an even cut', () => {
  const layout = createLayout(
    [1000, 10, 0, 500, 490, 1].map((length, index) => ({ name: `${index}`, shape: [length] })),
  );
  const borders = new Set([...layout.tensors.map(({ offset }) => offset), layout.length]);
  for (let shards = 1; shards <= 8; shards++) {
    const ranges = partitionTensors(layout, shards);
    let begin = 0;
    for (const range of ranges) {
      expect(range.begin).toBe(begin);
      expect(range.end).toBeGreaterThan(begin);
      expect(borders.has(range.end)).toBe(true);
      begin = range.end;
    }
    expect(begin).toBe(layout.length);
  }
  expect(partitionTensors(layout, 2)).toEqual([
    { begin: 0, end: 1000 },
    { begin: 1000, end: 2001 },
  ]);
  expect(partitionTensors(createLayout([]), 3)).toEqual([{ begin: 0, end: 0 }]);
});
