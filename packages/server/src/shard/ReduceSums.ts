import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { type Total, TreeSum, type TreeSumOutcome } from '@tributary/core/reduction/TreeSum.ts';
import type { ReduceFacts } from './judgeReduce.ts';

/** One sum over the ranks: being made, or made. */
interface Sum {
  readonly length: number;
  /** Given up for the total when all ranks are in. */
  tree: TreeSum | undefined;
  total: Total | undefined;
}

/**
 * The sums over the ranks of one step, by round, on one shard. All are kept until the step is over, so that a worker that takes over a rank can do the
 * step again from its first round: its contributions are duplicates by then, and it gets the totals that all others got.
 *
 * A step is over when a contribution to a later one comes: its sender has pulled that step from all shards, so every rank has completed
 * this one on all of them. (The own clock would not do: a rank may have pushed to this shard and died before it pushed to another.)
 */
export class ReduceSums {
  readonly #ranks: number;
  readonly #rounds = new Map<number, Sum>();
  #step = 0;
  #bytes = 0;

  constructor(ranks: number) {
    this.#ranks = ranks;
  }

  /** Adds a node of the tree; `values` belongs to the sum from then on. Throws, changing nothing, for another length than before, a step that is over, or a step that takes too much memory. */
  add(
    { rankBegin, rankEnd, step, round, length, weight, loss }: ReduceFacts,
    values: Float32Array,
  ): TreeSumOutcome {
    if (step > this.#step) this.#begin(step);
    this.#requireStep(step);
    const sum = this.#rounds.get(round) ?? this.#open(step, round, length);
    if (sum.length !== length) {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `sum ${round} of step ${step} has ${sum.length} elements here, not ${length}`,
        { hint: 'All ranks compute the same sums in the same order: every worker needs the same job file.' },
      );
    }
    if (sum.tree === undefined) return 'duplicate';
    const outcome = sum.tree.add({ begin: rankBegin, end: rankEnd }, values, weight, loss);
    if (outcome === 'complete') {
      sum.total = sum.tree.take();
      sum.tree = undefined;
    }
    return outcome;
  }

  /** Undefined while ranks are missing. Its values must not be changed. Throws FAILED_PRECONDITION once the step is over. */
  total(step: number, round: number): Total | undefined {
    this.#requireStep(step);
    return this.#rounds.get(round)?.total;
  }

  #begin(step: number): void {
    this.#step = step;
    this.#rounds.clear();
    this.#bytes = 0;
  }

  #open(step: number, round: number, length: number): Sum {
    const bytes = this.#bytes + length * 4 + emptySumBytes;
    if (bytes > limits.reduceBytesMax) {
      throw new TributaryError(
        'RESOURCE_EXHAUSTED',
        `the sums of step ${step} would take more than ${limits.reduceBytesMax / 2 ** 30} GiB on one shard`,
        { hint: 'Use more servers, or fewer iterations per step of a method that iterates.' },
      );
    }
    const sum: Sum = { length, tree: new TreeSum(this.#ranks, length), total: undefined };
    this.#rounds.set(round, sum);
    this.#bytes = bytes;
    return sum;
  }

  #requireStep(step: number): void {
    if (step === this.#step) return;
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `the sums of step ${step} are gone; the ranks are at step ${this.#step}`,
    );
  }
}

/** About what an empty sum takes, so that those without elements are bounded too. */
const emptySumBytes = 256;
