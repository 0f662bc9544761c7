import { type Layout, tensorAt } from '@tributary/core/layout/Layout.ts';
import { firstNonFinite } from '@tributary/core/reduction/firstNonFinite.ts';
import type { PushFacts } from './judgePush.ts';

/** A gradient that cannot be applied: whose, and where it is broken. */
export interface Rejection {
  /** The first of the ranks that were summed. */
  readonly rank: number;
  readonly step: number;
  /** Empty if it is the loss. */
  readonly tensor: string;
  readonly reason: string;
}

/** The first number of a push that is NaN or infinite, by name; undefined if there is none. The shard begins at element `begin` of the layout. A gradient that is known to be
 * finite need not be given. */
export function findBroken(
  { rankBegin, rankEnd, step, loss }: PushFacts,
  gradient: Float32Array | undefined,
  layout: Layout,
  begin: number,
): Rejection | undefined {
  const whose = rankEnd - rankBegin === 1 ? `rank ${rankBegin}` : `ranks ${rankBegin} to ${rankEnd - 1}`;
  const rejection = (tensor: string, what: string): Rejection => ({
    rank: rankBegin,
    step,
    tensor,
    reason: what,
  });
  // The gradient first: where both are broken, the tensor says more than the loss.
  const at = gradient === undefined ? -1 : firstNonFinite(gradient);
  if (gradient !== undefined && at >= 0) {
    const { name, offset } = tensorAt(layout, begin + at);
    const where = `tensor "${name}", element ${begin + at - offset}`;
    return rejection(name, `the gradient of ${whose} at step ${step} is ${gradient[at]} in ${where}`);
  }
  if (Number.isFinite(loss)) return undefined;
  return rejection('', `the loss of ${whose} at step ${step} is ${loss}`);
}
