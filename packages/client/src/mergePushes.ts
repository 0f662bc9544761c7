import type { PushOutcome } from '@tributary/core/consistency/clocks.ts';

/** What one shard answered to a push. */
export interface ShardPush {
  readonly shard: number;
  readonly outcome: PushOutcome;
  /** Why, as one line; empty unless fenced, stale or rejected. */
  readonly reason: string;
  readonly clock: number;
  readonly endStep: number;
}

/** What all shards answered, as one: the outcome that matters most to the sender, with its reason. */
export interface PushResult extends Omit<ShardPush, 'shard'> {
  readonly shards: readonly ShardPush[];
}

const worstFirst: readonly PushOutcome[] = ['fenced', 'rejected', 'stale', 'waiting', 'applied', 'duplicate'];

/** The clock is that of the slowest shard; the end is the latest that a shard still allows, since EndAt reaches them one after the other. */
export function mergePushes(shards: readonly ShardPush[]): PushResult {
  let worst = shards[0];
  let clock = Number.POSITIVE_INFINITY;
  let endStep = 0;
  for (const push of shards) {
    if (worstFirst.indexOf(push.outcome) < worstFirst.indexOf(worst.outcome)) worst = push;
    clock = Math.min(clock, push.clock);
    endStep = Math.max(endStep, push.endStep);
  }
  return { outcome: worst.outcome, reason: worst.reason, clock, endStep, shards };
}
