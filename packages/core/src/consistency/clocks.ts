/**
 * Who may go on. A rank's clock is the number of steps it has completed; a shard's clock is the least of them.
 * All of consistency is one inequality over these numbers: rank r may begin step t when the shard's clock is at least t - s.
 * With s = 0 that is a barrier (BSP), with s > 0 a bounded lead (SSP), with s = Infinity no wait at all (ASP).
 */

/** Names of what can become of a push. */
export type PushOutcome = 'applied' | 'waiting' | 'duplicate' | 'fenced' | 'stale' | 'rejected';

/** `staleness` of a JobSpec, where null stands for Infinity. */
export function stalenessBound(staleness: number | null): number {
  return staleness === null ? Number.POSITIVE_INFINITY : staleness;
}

/** May a rank that is about to compute `step` read the parameters now? */
export function mayBegin(step: number, slowestClock: number, staleness: number): boolean {
  return slowestClock >= step - staleness;
}

/** Is a gradient of `step` further behind the fastest rank than the bound allows? */
export function isStale(step: number, fastestClock: number, staleness: number): boolean {
  return fastestClock - step > staleness + 1;
}

export function slowest(clocks: Readonly<ArrayLike<number>>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let rank = 0; rank < clocks.length; rank++) if (clocks[rank] < least) least = clocks[rank];
  return least;
}

export function fastest(clocks: Readonly<ArrayLike<number>>): number {
  let most = 0;
  for (let rank = 0; rank < clocks.length; rank++) if (clocks[rank] > most) most = clocks[rank];
  return most;
}
