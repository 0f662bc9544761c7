import { createPermutation } from '@tributary/core/random/permutation.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

function table(n: number, seed: number, epoch: number): number[] {
  const order = createPermutation(n, seed, epoch);
  return Array.from({ length: n }, (_, index) => order(index));
}

test('every number comes exactly once', () => {
  for (const n of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 1000, 4096, 60_000]) {
    const order = createPermutation(n, 42, 3);
    const seen = new Uint8Array(n);
    for (let index = 0; index < n; index++) seen[order(index)]++;
    expect(seen.every((count) => count === 1)).toBe(true);
  }
});

test('every number comes exactly once, whatever the seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.maxSafeInteger(), fc.nat(), (n, seed, epoch) => {
      expect(new Set(table(n, seed, epoch)).size).toBe(n);
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('the greatest size works, at both ends', () => {
  const order = createPermutation(2 ** 32, 1, 1);
  const places = [0, 1, 2 ** 31, 2 ** 32 - 1].map(order);
  expect(new Set(places).size).toBe(4);
  for (const place of places) expect(place).toBeGreaterThanOrEqual(0);
});

test('the same seed and epoch give the same order, others another', () => {
  expect(table(100, 5, 2)).toEqual(table(100, 5, 2));
  expect(table(100, 5, 2)).not.toEqual(table(100, 5, 3));
  expect(table(100, 5, 2)).not.toEqual(table(100, 6, 2));
});

/** Sum of (observed - expected)^2 / expected. */
const chiSquare = (counts: number[], expected: number) =>
  counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);

test.each([3, 5, 10, 16])('%i places: every number is as often at every place', (n) => {
  const draws = 4000;
  const counts = new Array<number>(n * n).fill(0);
  for (let epoch = 0; epoch < draws; epoch++) {
    for (const [place, value] of table(n, 9, epoch).entries()) counts[place * n + value]++;
  }
  // (n-1)^2 degrees of freedom; mean + 5 standard deviations.
  const freedom = (n - 1) ** 2;
  expect(chiSquare(counts, draws / n)).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom));
});

test('4 places: all 24 orders come, about equally often', () => {
  const draws = 24_000;
  const counts = new Map<string, number>();
  for (let epoch = 0; epoch < draws; epoch++) {
    const key = table(4, 1, epoch).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  expect(chiSquare([...counts.values()], draws / 24)).toBeLessThan(23 + 5 * Math.sqrt(46));
});

test('neighbours do not stay together', () => {
  const n = 10_000;
  const order = table(n, 3, 0);
  let adjacent = 0;
  for (let i = 1; i < n; i++) if (Math.abs(order[i] - order[i - 1]) === 1) adjacent++;
  // 2 expected in a random order.
  expect(adjacent).toBeLessThan(12);
});

test('a place outside is a broken invariant', () => {
  const order = createPermutation(10, 1, 0);
  expect(() => order(10)).toThrow('broken invariant');
  expect(() => order(-1)).toThrow('broken invariant');
  expect(() => createPermutation(0, 1, 0)).toThrow('broken invariant');
});
