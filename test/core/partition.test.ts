import { blockElements, partition } from '@tributary/core/partition/partition.ts';
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
