import { retryDelayMs } from '@tributary/client/retry.ts';
import { errorCodes } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const failed = { code: 'UNAVAILABLE', failures: 1, elapsedMs: 0, totalMs: 10_000, random: 0.5 } as const;

test('only an unreachable server is tried again; an answer is an answer', () => {
  const tried = Object.keys(errorCodes).filter(
    (code) => retryDelayMs({ ...failed, code: code as keyof typeof errorCodes }) !== undefined,
  );
  expect(tried).toEqual(['DEADLINE_EXCEEDED', 'UNAVAILABLE']);
});

test('the pause doubles up to its bound, and is drawn from all of it', () => {
  const most = (failures: number) => retryDelayMs({ ...failed, failures, random: 1 });
  expect([1, 2, 3, 20].map(most)).toEqual([
    limits.retryBackoffMs,
    limits.retryBackoffMs * 2,
    limits.retryBackoffMs * 4,
    limits.retryBackoffMsMax,
  ]);
  expect(retryDelayMs({ ...failed, failures: 9, random: 0 })).toBe(0);
});

test('the pauses never add up to more than the total', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 200 }),
      fc.nat(20_000),
      (randoms, totalMs) => {
        let elapsedMs = 0;
        for (const [index, random] of randoms.entries()) {
          const delay = retryDelayMs({ ...failed, failures: index + 1, elapsedMs, totalMs, random });
          if (delay === undefined) return;
          elapsedMs += delay;
          expect(elapsedMs).toBeLessThanOrEqual(totalMs);
        }
      },
    ),
  );
});

test('a total of 0 means one try', () => {
  expect(retryDelayMs({ ...failed, totalMs: 0 })).toBeUndefined();
});
