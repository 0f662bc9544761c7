import type { PushHeader, PushReply } from '@tributary/client/transport/messages.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { type Total, TreeSum } from '@tributary/core/reduction/TreeSum.ts';
import type { RankRange } from '@tributary/core/reduction/tree.ts';
import { VectorPool } from '../shard/VectorPool.ts';

export interface GatheringOptions {
  /** Of the job. */
  readonly ranks: number;
  /** Of the shard. */
  readonly length: number;
  readonly kernels: VectorKernels;
  /** Pushes a sum to the server. The values are not changed until this settles. */
  send(header: PushHeader, values: Float32Array): Promise<PushReply>;
}

interface Waiting {
  readonly header: PushHeader;
  resolve(reply: PushReply): void;
  reject(error: TributaryError): void;
}

/**
 * The gradients of one host's workers for one shard, added along the reduction tree before they travel. Synchronous mode only.
 *
 * A step is sent on when all ranks are in that came the step before. Who is new, or gone, or slow is found out by waiting: what is there after that is sent, and what comes
 * later by itself. So nobody has to say who is on this host, and any set of ranks is right, as every sum is one node of the tree.
 *
 * A push is answered when the server has answered the sum that it is in, so an aggregator that dies takes nothing with it. Whatever is not plainly taken by the server
 * (fenced, rejected, a duplicate, out of reach) is ABORTED here: its sender goes to the server itself, and gets its own answer.
 */
export class PushGathering {
  readonly #options: GatheringOptions;
  readonly #pool: VectorPool;
  readonly #tree: TreeSum;
  #step = -1;
  /** Ranks of this step that came, and of the step before. */
  #came = new Set<number>();
  #expected = new Set<number>();
  readonly #tokens = new Map<number, number>();
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #beganMs = 0;
  /** From the first to the last, at the step before. */
  #tookMs = 0;
  #closed = false;

  constructor(options: GatheringOptions) {
    const { ranks, length, kernels } = options;
    this.#options = options;
    this.#pool = new VectorPool(() => kernels.allocate(length));
    const free = (vector: Float32Array) => this.#pool.give(vector);
    this.#tree = new TreeSum(ranks, length, { add: kernels.add, free });
  }

  /** For a gradient, to be given to `push` or back. */
  takeVector(): Float32Array {
    return this.#pool.take();
  }

  giveVector(vector: Float32Array): void {
    this.#pool.give(vector);
  }

  /** Throws ABORTED where the server should hear of this push by itself. */
  judge({ rankBegin, rankEnd, step, weight, encoding }: PushHeader): void {
    if (this.#closed) throw direct('the aggregator is leaving');
    if (encoding !== 'F32' || weight === 0) throw direct('only gradients in float32 are added here');
    if (step < this.#step) throw direct(`step ${step} is over here`);
    if (step > this.#step) return;
    for (let rank = rankBegin; rank < rankEnd; rank++)
      if (this.#came.has(rank)) throw direct(`rank ${rank} is in already`);
  }

  /** Takes the gradient, which is the gathering's from then on unless this throws. Throws as `judge`, and as TreeSum. */
  push(header: PushHeader, values: Float32Array): Promise<PushReply> {
    this.judge(header);
    const { rankBegin, rankEnd, step, weight, loss, squares, tokens } = header;
    if (step > this.#step) this.#begin(step);
    this.#tree.add({ begin: rankBegin, end: rankEnd }, values, weight, loss, squares);
    if (this.#waiting.length === 0) this.#beganMs = performance.now();
    for (let rank = rankBegin; rank < rankEnd; rank++) {
      this.#came.add(rank);
      this.#tokens.set(rank, tokens[rank - rankBegin]);
    }
    const { promise, resolve, reject } = Promise.withResolvers<PushReply>();
    this.#waiting.push({ header, resolve, reject });
    this.#sendIfAll();
    return promise;
  }

  /** These ranks go to the server by themselves at this step: nobody is to wait for them. */
  passBy({ rankBegin, rankEnd, step }: PushHeader): void {
    if (this.#closed || step < this.#step) return;
    if (step > this.#step) this.#begin(step);
    for (let rank = rankBegin; rank < rankEnd; rank++) this.#came.add(rank);
    if (this.#waiting.length > 0) this.#sendIfAll();
  }

  /** Sends everybody to the server. */
  close(): void {
    this.#closed = true;
    this.#giveUp('the aggregator is leaving');
  }

  #begin(step: number): void {
    // Its pushes were answered, or nobody would be at the next one; but for what came after all others.
    this.#giveUp(`step ${this.#step} is over here`);
    this.#step = step;
    this.#expected = this.#came;
    this.#came = new Set();
    this.#tokens.clear();
  }

  #giveUp(why: string): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { values } of this.#tree.takeParts()) if (values !== undefined) this.#pool.give(values);
    for (const { reject } of this.#waiting.splice(0)) reject(direct(why));
  }

  #sendIfAll(): void {
    const isAll = this.#expected.size > 0 && [...this.#expected].every((rank) => this.#came.has(rank));
    if (isAll) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), this.#patienceMs());
  }

  #patienceMs(): number {
    const asBefore = this.#tookMs * limits.gatherPatience;
    return Math.min(limits.gatherMsMax, Math.max(limits.gatherMs, asBefore));
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tookMs = performance.now() - this.#beganMs;
    const waiting = this.#waiting.splice(0);
    for (const part of this.#tree.takeParts()) {
      const { begin, end } = part.node;
      const within = waiting.filter(({ header }) => header.rankBegin >= begin && header.rankEnd <= end);
      void this.#sendPart(part, within);
    }
  }

  async #sendPart({ node, values, weight, loss, squares }: Total & { node: RankRange }, within: Waiting[]) {
    const tokens = Array.from(
      { length: node.end - node.begin },
      (_, index) => this.#tokens.get(node.begin + index)!,
    );
    const header = {
      ...within[0].header,
      ...{ rankBegin: node.begin, rankEnd: node.end, tokens, weight, loss, squares },
    };
    try {
      const reply = await this.#options.send(header, values!);
      const isTaken = reply.outcome === 'APPLIED' || reply.outcome === 'WAITING';
      if (!isTaken) throw direct(`the server says ${reply.outcome} of the sum`);
      for (const { resolve } of within) resolve(reply);
    } catch (error) {
      const why = (error as Error).message;
      for (const { reject } of within) reject(direct(why));
    } finally {
      this.#pool.give(values!);
    }
  }
}

/** What a worker takes as the word to go to the server itself. */
export function direct(why: string): TributaryError {
  return new TributaryError('ABORTED', why);
}
