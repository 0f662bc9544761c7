import type { PushResult } from '@tributary/client/mergePushes.ts';
import type { ParameterClient, Push } from '@tributary/client/ParameterClient.ts';
import type { JobRecord } from '@tributary/coordinator/Coordinator.ts';
import { needsSquares } from '@tributary/core/job/needsSquares.ts';
import { blockSquares, sumOfBlocks } from '@tributary/core/reduction/blockSquares.ts';
import type { RankRange } from '@tributary/core/reduction/tree.ts';
import type { ErrorFeedback } from './ErrorFeedback.ts';
import type { NodeSum } from './gradientMessages.ts';

export interface NodePusherOptions {
  readonly record: JobRecord;
  /** Encodes gradients; without it they are pushed as they are. */
  readonly feedback: ErrorFeedback | undefined;
  readonly log: (level: 'warning', message: string) => void;
}

/** What some ranks did, and on which parameters. */
export interface NodeWork {
  readonly client: ParameterClient;
  readonly node: RankRange;
  readonly step: number;
  /** Of the parameters, by shard. */
  readonly versions: readonly number[];
  /** Fencing tokens of all ranks held. */
  readonly tokens: ReadonlyMap<number, number>;
  /** It may wait at an aggregator for those of other workers. */
  readonly gathered?: boolean;
}

/** Pushes what was computed for one node of the reduction tree, encoded if the job says so. */
export class NodePusher {
  readonly #options: NodePusherOptions;

  constructor(options: NodePusherOptions) {
    this.#options = options;
  }

  /** `split`: the sum of several ranks was refused, and each has to answer for itself. `fenced`: others have the ranks now. */
  async push(work: NodeWork, sum: NodeSum, gradient: Float32Array): Promise<'done' | 'split' | 'fenced'> {
    if (sum.weight === 0) return this.skip(work);
    const { node, step, versions } = work;
    const { weight, loss } = sum;
    const head = { ranks: node, step, versions, tokens: tokensOf(work), weight, loss };
    const reply = await this.#send(work, head, sum, gradient);
    if (reply.outcome === 'fenced') return 'fenced';
    if (reply.outcome !== 'rejected') return 'done';
    if (node.end - node.begin > 1) return 'split';
    this.#options.log('warning', reply.reason);
    return this.skip(work);
  }

  /** The ranks have nothing to say at this step. */
  async skip(work: NodeWork): Promise<'done' | 'fenced'> {
    const { client, node, step, gathered = false } = work;
    const head = { ranks: node, step, tokens: tokensOf(work) };
    const nothing = { weight: 0, loss: 0, squares: 0, gradient: undefined };
    const { outcome } = await client.push({ ...head, ...nothing }, { gathered });
    return outcome === 'fenced' ? 'fenced' : 'done';
  }

  /** Encodes a gradient if it is to be, and keeps what that takes from it. One that is not finite goes as it is, to be rejected. */
  async #send(
    { client, gathered = false }: NodeWork,
    head: Omit<Push, 'squares' | 'gradient'>,
    { finite, squares: measured = 0 }: NodeSum,
    work: Float32Array,
  ): Promise<PushResult> {
    const { record, feedback } = this.#options;
    const { spec } = record;
    const { layout } = spec;
    const plain = work.subarray(0, layout.length);
    const { step, ranks, tokens } = head;
    const sending = finite
      ? feedback?.encode({ rank: ranks.begin, token: tokens[0], step, work })
      : undefined;
    // Of what arrives.
    const squares =
      sending && needsSquares(spec)
        ? sumOfBlocks([blockSquares(feedback!.decode(sending.gradient))]) / head.weight
        : measured;
    try {
      const reply = await client.push(
        { ...head, squares: finite ? squares : 0, gradient: sending?.gradient ?? plain },
        { gathered },
      );
      if (sending !== undefined && ['applied', 'waiting', 'duplicate'].includes(reply.outcome))
        feedback?.arrived(sending);
      return reply;
    } catch (error) {
      if (sending !== undefined) feedback?.inDoubt(sending);
      throw error;
    }
  }
}

function tokensOf({ node: { begin, end }, tokens }: NodeWork): number[] {
  return Array.from({ length: end - begin }, (_, index) => tokens.get(begin + index)!);
}
