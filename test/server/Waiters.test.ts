import { limits } from '@tributary/core/limits/limits.ts';
import { Waiters } from '@tributary/server/shard/Waiters.ts';
import { expect, test } from 'vitest';

const never = new AbortController().signal;

test('what holds already is answered at once, and what does not hold without time to wait is not', async () => {
  const waiters = new Waiters();
  expect(await waiters.wait(() => 7, 0, never)).toBe(7);
  expect(await waiters.wait(() => undefined, 0, never)).toBeUndefined();
});

test('those for whom it holds now wake, the others go on waiting', async () => {
  const waiters = new Waiters();
  let clock = 0;
  const woken: number[] = [];
  const waits = [1, 2].map((step) =>
    waiters.wait(() => (clock >= step ? step : undefined), 60_000, never).then((step) => woken.push(step!)),
  );
  clock = 1;
  waiters.wake();
  await waits[0];
  expect(woken).toEqual([1]);
  clock = 2;
  waiters.wake();
  await waits[1];
  expect(woken).toEqual([1, 2]);
});

test('a wait ends with its time, with its signal, and with what its look throws', async () => {
  const waiters = new Waiters();
  expect(await waiters.wait(() => undefined, 1, never)).toBeUndefined();
  const controller = new AbortController();
  const cancelled = waiters.wait(() => undefined, 60_000, controller.signal);
  controller.abort();
  expect(await cancelled).toBeUndefined();
  let broken = false;
  const failing = waiters.wait(
    () => {
      if (broken) throw new Error('closed');
      return undefined;
    },
    60_000,
    never,
  );
  broken = true;
  waiters.wake();
  await expect(failing).rejects.toThrow('closed');
});

test('a wait that ended does not look again', async () => {
  const waiters = new Waiters();
  const controller = new AbortController();
  let looks = 0;
  const wait = waiters.wait(() => void looks++, 60_000, controller.signal);
  controller.abort();
  waiters.wake();
  await wait;
  waiters.wake();
  expect(looks).toBe(1);
});

test('too many at once are refused', async () => {
  const waiters = new Waiters();
  const controller = new AbortController();
  const waits = Array.from({ length: limits.pullsWaitingMax }, () =>
    waiters.wait(() => undefined, 60_000, controller.signal),
  );
  await expect(waiters.wait(() => undefined, 60_000, never)).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
  });
  controller.abort();
  await Promise.all(waits);
  expect(await waiters.wait(() => undefined, 1, never)).toBeUndefined();
});
