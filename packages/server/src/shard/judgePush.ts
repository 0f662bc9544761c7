import { fastest, isStale, mayBegin, type PushOutcome, slowest } from '@tributary/core/consistency/clocks.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { isNode } from '@tributary/core/reduction/tree.ts';

/** Who speaks: a node of the reduction tree, with the fencing tokens of its ranks. */
export interface RanksFacts {
  readonly rankBegin: number;
  readonly rankEnd: number;
  readonly tokens: readonly number[];
}

/** What the header of a push says. */
export interface PushFacts extends RanksFacts {
  readonly step: number;
  readonly weight: number;
  readonly loss: number;
  readonly squares: number;
  readonly encoding: string;
  readonly version: number;
}

/** What a shard knows of its ranks. */
export interface PushState {
  readonly staleness: number;
  readonly endStep: number;
  /** Of the job. */
  readonly encoding: string;
  /** Steps completed, by rank. */
  readonly clocks: Readonly<Uint32Array>;
  /** The greatest fencing token seen, by rank. */
  readonly tokens: Readonly<Float64Array>;
}

/** `accept`: its gradient is to be applied. Otherwise the outcome, and why. */
export type PushJudgement =
  | { readonly outcome: 'accept' }
  | { readonly outcome: Exclude<PushOutcome, 'applied' | 'waiting'>; readonly reason: string };

const accept: PushJudgement = { outcome: 'accept' };
const duplicate: PushJudgement = { outcome: 'duplicate', reason: '' };

/**
 * What is to become of a push, from its header alone. Throws INVALID_ARGUMENT for one that no correct sender makes, and FAILED_PRECONDITION for
 * a step that its ranks cannot have begun yet.
 */
export function judgePush(push: PushFacts, state: PushState): PushJudgement {
  checkShape(push, state);
  const reason = fencedReason(push, state.tokens);
  return reason === undefined ? judgeStep(push, state) : { outcome: 'fenced', reason };
}

/** Why the sender no longer speaks for one of its ranks; undefined if it does for all. `seen` has the greatest token by rank. */
export function fencedReason(
  { rankBegin, rankEnd, tokens }: RanksFacts,
  seen: Readonly<Float64Array>,
): string | undefined {
  for (let rank = rankBegin; rank < rankEnd; rank++) {
    const token = tokens[rank - rankBegin];
    if (token < seen[rank])
      return `the lease on rank ${rank} is lost: token ${token} came after token ${seen[rank]}`;
  }
  return undefined;
}

function judgeStep(
  { rankBegin, step, weight }: PushFacts,
  { staleness, endStep, clocks }: PushState,
): PushJudgement {
  // In the synchronous mode all clocks are equal, so that of the first rank stands for the node.
  const clock = clocks[rankBegin];
  if (step < clock) return duplicate;
  if (step > clock || !mayBegin(step, slowest(clocks), staleness)) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `rank ${rankBegin} cannot have begun step ${step}: it has completed ${clock} steps here`,
      {
        hint: 'Pull the parameters of a step before pushing its gradient.',
      },
    );
  }
  if (step >= endStep) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `step ${step} is not part of the job: it stops at step ${endStep}`,
    );
  }
  if (staleness > 0 && weight > 0 && isStale(step, fastest(clocks), staleness)) {
    const ahead = fastest(clocks) - step;
    return {
      outcome: 'stale',
      reason: `step ${step} of rank ${rankBegin} is ${ahead} steps behind the fastest rank; the bound is ${staleness}`,
    };
  }
  return accept;
}

/** Throws INVALID_ARGUMENT unless it is a node of the tree over `ranks` ranks with one token for each of its own. */
export function checkRanks({ rankBegin, rankEnd, tokens }: RanksFacts, ranks: number): void {
  if (!isNode({ begin: rankBegin, end: rankEnd }, ranks)) {
    throw invalid(`ranks [${rankBegin}, ${rankEnd}) are no node of the reduction tree over ${ranks} ranks`);
  }
  if (tokens.length !== rankEnd - rankBegin) {
    throw invalid(
      `${tokens.length} fencing tokens came for the ${rankEnd - rankBegin} ranks [${rankBegin}, ${rankEnd})`,
    );
  }
}

function checkShape(push: PushFacts, { staleness, clocks, encoding: ofJob }: PushState): void {
  const { rankBegin, rankEnd, weight, squares, encoding } = push;
  checkRanks(push, clocks.length);
  if (staleness > 0 && rankEnd - rankBegin !== 1) {
    throw invalid(
      `ranks [${rankBegin}, ${rankEnd}) are pushed together; in an asynchronous mode every rank pushes its own gradient`,
    );
  }
  if (!(weight >= 0 && Number.isFinite(weight)))
    throw invalid(`the weight is ${weight}; it is a number of examples`);
  if (!(squares >= 0 && Number.isFinite(squares))) throw invalid(`the sum of squares is ${squares}`);
  if (encoding !== 'F32' && encoding !== ofJob) {
    const possible = ofJob === 'F32' ? 'F32' : `F32 or ${ofJob}`;
    throw invalid(`the encoding is ${encoding}; this job takes ${possible}`);
  }
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
