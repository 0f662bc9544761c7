import { mergePushes } from '@tributary/client/mergePushes.ts';
import type { PushOutcome } from '@tributary/core/consistency/clocks.ts';
import { expect, test } from 'vitest';

const answer = (shard: number, outcome: PushOutcome, clock = 0, endStep = 10) => ({
  shard,
  outcome,
  reason:
    outcome === 'fenced' || outcome === 'rejected' || outcome === 'stale' ? `${outcome} at ${shard}` : '',
  clock,
  endStep,
});

test('the outcome that matters most wins, with its reason', () => {
  const order: PushOutcome[] = ['duplicate', 'applied', 'waiting', 'stale', 'rejected', 'fenced'];
  for (let count = 1; count <= order.length; count++) {
    const shards = order.slice(0, count).map((outcome, index) => answer(index, outcome));
    const worst = shards[count - 1];
    expect(mergePushes(shards)).toMatchObject({ outcome: worst.outcome, reason: worst.reason });
    expect(mergePushes(shards.toReversed())).toMatchObject({ outcome: worst.outcome, reason: worst.reason });
  }
});

test('of several shards with the same outcome the first gives the reason', () => {
  expect(mergePushes([answer(0, 'applied'), answer(1, 'fenced'), answer(2, 'fenced')]).reason).toBe(
    'fenced at 1',
  );
});

test('the clock is the slowest, the end the latest, and all answers are kept', () => {
  const shards = [answer(0, 'applied', 4, 7), answer(1, 'waiting', 3, 9)];
  expect(mergePushes(shards)).toEqual({ outcome: 'waiting', reason: '', clock: 3, endStep: 9, shards });
});
