import { fastest, isStale, mayBegin, slowest, stalenessBound } from '@tributary/core/consistency/clocks.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('staleness 0 is a barrier, s a bounded lead, null no wait at all', () => {
  expect([4, 5, 6].map((step) => mayBegin(step, 5, 0))).toEqual([true, true, false]);
  expect([7, 8].map((step) => mayBegin(step, 5, 2))).toEqual([true, false]);
  expect(mayBegin(1e6, 0, stalenessBound(null))).toBe(true);
  expect(stalenessBound(3)).toBe(3);
});

test('the slowest and the fastest rank', () => {
  expect(slowest([3, 1, 2])).toBe(1);
  expect(fastest([3, 1, 2])).toBe(3);
  expect(slowest(Uint32Array.of(0, 7))).toBe(0);
});

test('ranks that begin a step only when they may are never refused as stale, and never far apart', () => {
  const input = fc.record({
    staleness: fc.constantFrom(0, 1, 3, Number.POSITIVE_INFINITY),
    ranks: fc.integer({ min: 1, max: 5 }),
    turns: fc.array(fc.nat(4), { maxLength: 200 }),
  });
  fc.assert(
    fc.property(input, ({ staleness, ranks, turns }) => {
      const clocks = new Array<number>(ranks).fill(0);
      const computing = new Array<boolean>(ranks).fill(false);
      for (const turn of turns) {
        const rank = turn % ranks;
        const step = clocks[rank];
        if (computing[rank]) {
          expect(isStale(step, fastest(clocks), staleness)).toBe(false);
          clocks[rank]++;
          computing[rank] = false;
        } else if (mayBegin(step, slowest(clocks), staleness)) computing[rank] = true;
        expect(fastest(clocks) - slowest(clocks)).toBeLessThanOrEqual(staleness + 1);
      }
      // The slowest rank can always go on.
      expect(mayBegin(slowest(clocks), slowest(clocks), staleness)).toBe(true);
    }),
    { numRuns: 300, seed: 8 },
  );
});

test('a gradient further behind than the bound allows is stale', () => {
  expect(isStale(3, 4, 0)).toBe(false);
  expect(isStale(3, 5, 0)).toBe(true);
  expect(isStale(3, 6, 2)).toBe(false);
  expect(isStale(3, 7, 2)).toBe(true);
  expect(isStale(0, 1e6, Number.POSITIVE_INFINITY)).toBe(false);
});
