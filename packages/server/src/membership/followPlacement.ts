import { setTimeout as sleep } from 'node:timers/promises';
import type { Coordinator, Placement } from '@tributary/coordinator/Coordinator.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';

/**
 * Hands every look at the placement to `onPlacement`, one after the other, until `signal` fires. A failure (the coordinator away, a checkpoint
 * that cannot be read) is told once and tried again: what is served meanwhile goes on.
 */
export async function followPlacement(
  coordinator: Pick<Coordinator, 'placement'>,
  onPlacement: (placement: Placement) => Promise<void>,
  { signal, onFailure }: { signal: AbortSignal; onFailure: (error: TributaryError) => void },
): Promise<void> {
  let failing = '';
  while (!signal.aborted) {
    try {
      const placement = await coordinator.placement();
      if (placement !== undefined && !signal.aborted) await onPlacement(placement);
      failing = '';
    } catch (error) {
      if (!(error instanceof TributaryError)) throw error;
      if (error.message !== failing) onFailure(error);
      failing = error.message;
    }
    await sleep(limits.placementPollMs, undefined, { signal }).catch(() => {});
  }
}
