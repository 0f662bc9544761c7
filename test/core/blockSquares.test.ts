import { partition } from '@tributary/core/partition/partition.ts';
import { blockSquares, normOfBlocks } from '@tributary/core/reduction/blockSquares.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomVector } from './randomVector.ts';

test('the norm is the same bits for any number of shards', () => {
  fc.assert(
    fc.property(fc.nat(9000), fc.integer({ min: 1, max: 8 }), fc.nat(), (length, shards, seed) => {
      const values = randomVector(seed, length);
      const parts = partition(length, shards).map(({ begin, end }) =>
        blockSquares(values.subarray(begin, end)),
      );
      expect(normOfBlocks(parts)).toBe(normOfBlocks([blockSquares(values)]));
    }),
    { numRuns: 50, seed: 6 },
  );
});

test('the norm is that of the vector', () => {
  expect(normOfBlocks([blockSquares(Float32Array.of(3, 4))])).toBe(5);
  expect(normOfBlocks([blockSquares(new Float32Array())])).toBe(0);
  expect(normOfBlocks([])).toBe(0);
  const values = randomVector(3, 5000);
  const plain = Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
  expect(normOfBlocks([blockSquares(values)]) / plain).toBeCloseTo(1, 12);
});

test('squares that float32 cannot hold are no trouble, and what is not finite shows', () => {
  expect(normOfBlocks([blockSquares(Float32Array.of(3e38, 0))])).toBeCloseTo(Math.fround(3e38), -25);
  expect(normOfBlocks([blockSquares(Float32Array.of(1, Number.NaN))])).toBeNaN();
});
