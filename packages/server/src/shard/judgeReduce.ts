import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { checkRanks, fencedReason, type PushState, type RanksFacts } from './judgePush.ts';

/** What the header of a contribution to a sum says. */
export interface ReduceFacts extends RanksFacts {
  readonly step: number;
  readonly round: number;
  readonly length: number;
  readonly weight: number;
  readonly loss: number;
}

/**
 * `fenced` with the reason, or undefined: it may be added. Throws INVALID_ARGUMENT for a contribution that no correct sender makes, and
 * FAILED_PRECONDITION for a step that its ranks cannot be at, or a job that has no steps in common.
 */
export function judgeReduce(facts: ReduceFacts, state: PushState): string | undefined {
  const { step, length, weight, rankBegin } = facts;
  const { staleness, endStep, clocks } = state;
  if (staleness > 0) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      'the ranks of an asynchronous job are at different steps, so nothing can be summed over them',
    );
  }
  checkRanks(facts, clocks.length);
  if (!(weight > 0 && Number.isFinite(weight))) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `the weight is ${weight}; it is a number of examples, above 0`,
    );
  }
  if (length * 4 > limits.reduceBytesMax) {
    throw new TributaryError('RESOURCE_EXHAUSTED', `a vector of ${length} elements is too long to be summed`);
  }
  if (step > clocks[rankBegin] || step >= endStep) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      step >= endStep
        ? `step ${step} is not part of the job: it stops at step ${endStep}`
        : `rank ${rankBegin} cannot have begun step ${step}: it has completed ${clocks[rankBegin]} steps here`,
    );
  }
  return fencedReason(facts, state.tokens);
}
