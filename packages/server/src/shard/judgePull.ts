import { mayBegin } from '@tributary/core/consistency/clocks.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

export interface PullFacts {
  readonly step: number;
  /** Whatever is there now. */
  readonly latest: boolean;
}

export interface PullState {
  /** Of the slowest rank. */
  readonly clock: number;
  readonly endStep: number;
  readonly staleness: number;
}

/**
 * `ended`: the job stops before that step. In the synchronous mode a step begins from exactly one version, and a rank that moved to another worker
 * in the middle of a step may ask for the one before. Throws FAILED_PRECONDITION if that is gone too.
 */
export type PullJudgement = 'current' | 'previous' | 'wait' | 'ended';

export function judgePull(
  { step, latest }: PullFacts,
  { clock, endStep, staleness }: PullState,
): PullJudgement {
  if (latest) return 'current';
  if (step >= endStep) return 'ended';
  if (!mayBegin(step, clock, staleness)) return 'wait';
  if (staleness > 0 || step === clock) return 'current';
  if (step === clock - 1) return 'previous';
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `the parameters of step ${step} are gone; the shard is at step ${clock}`,
    {
      hint: 'Every rank has completed that step.',
    },
  );
}
