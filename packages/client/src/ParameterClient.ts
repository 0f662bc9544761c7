import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { chunksOf } from '@tributary/core/codec/chunksOf.ts';
import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import { changeCodec } from '@tributary/core/codec/pullEncodings.ts';
import { createCodec } from '@tributary/core/codec/table.ts';
import type { VectorEncoding } from '@tributary/core/codec/VectorEncoding.ts';
import type { PushOutcome } from '@tributary/core/consistency/clocks.ts';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { PullEncoding } from '@tributary/core/job/JobSpec.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { liveRanges, type Segment, segmentsOf, type Trained } from '@tributary/core/layout/segments.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { partition, type Range } from '@tributary/core/partition/partition.ts';
import { firstNonFinite } from '@tributary/core/reduction/firstNonFinite.ts';
import type { RankRange } from '@tributary/core/reduction/tree.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { ChangeReceiver } from './ChangeReceiver.ts';
import { callWithRetries, pause } from './callWithRetries.ts';
import { EncodedReceiver } from './EncodedReceiver.ts';
import { mergePushes, type PushResult, type ShardPush } from './mergePushes.ts';
import { type ChannelCall, NearChannel } from './NearChannel.ts';
import { TracedReceiver } from './TracedReceiver.ts';
import type {
  CheckpointPartReply,
  DescribeReply,
  PullHeader,
  ReduceTotalHeader,
  Target,
} from './transport/messages.ts';
import { openChannel } from './transport/openChannel.ts';
import type { ServerChannel } from './transport/ServerChannel.ts';
import type { TransportChoice } from './transport/transport.ts';
import { VectorReceiver } from './VectorReceiver.ts';

export interface ParameterClientOptions {
  readonly jobHash: string;
  readonly generation: number;
  /** All shards, in order, covering the flat vector. */
  readonly shards: readonly (Range & { readonly address: string })[];
  /** What is frozen and when, for those who push. Default: nothing. */
  readonly trained?: Trained;
  /** Default: auto. */
  readonly transport?: TransportChoice;
  /** Where an aggregator of this host listens. Pushes and pulls of steps go by way of it where they can. */
  readonly aggregator?: string | undefined;
  /** How the parameters of steps are to come; what is pulled otherwise comes as it is, or rounded. Default: f32. */
  readonly pullEncoding?: PullEncoding;
  /** What decodes them; the plain loops if not given. */
  readonly kernels?: VectorKernels;
  readonly log?: (level: 'info' | 'warning' | 'error', message: string) => void;
  /** How long to go on trying to reach a server. */
  readonly retryTotalMs?: number;
  /** Failures that are tried again go to `log` once they have lasted so long. Default: at once. */
  readonly toldAfterMs?: number;
  /** Where to count what is sent and received. */
  readonly traffic?: Traffic;
  readonly trace?: Trace | undefined;
}

/** Bytes of payload: of gradients and vectors sent, of parameters and totals received; what is sent again counts again. */
export interface Traffic {
  pushedBytes: number;
  pulledBytes: number;
}

/** What a pull found. `ready: false`: the job ends before that step, and nothing may be computed. */
export interface PullResult {
  readonly ready: boolean;
  /** Updates in the parameters that were read, by shard. */
  readonly versions: readonly number[];
  /** Of the slowest shard. */
  readonly clock: number;
  readonly endStep: number;
}

/** A gradient as the job encodes it at its step. */
export interface EncodedGradient {
  /** Of the job's encoding, on the wire. */
  readonly name: string;
  readonly encoding: VectorEncoding;
  readonly bytes: Uint8Array;
  /** Fills in the bytes of a part before they are sent, if they are not there yet. If not given, all are. */
  readonly encode?: (part: Range) => void;
}

/** The gradient of some ranks at one step. */
export interface Push {
  /** One node of the reduction tree. */
  readonly ranks: RankRange;
  readonly step: number;
  /** Versions of the parameters that it was computed from, by shard, as the pull said. Needed in the asynchronous modes only. */
  readonly versions?: readonly number[];
  /** Fencing tokens of the ranks' leases, in order of rank. */
  readonly tokens: readonly number[];
  /** Examples behind it. */
  readonly weight: number;
  /** The sum over ranks of (examples * mean loss). */
  readonly loss: number;
  /** The sum over ranks of (examples * squared norm of the mean gradient); 0 unless the job needs it (see core/job/needsSquares.ts). */
  readonly squares: number;
  /** The whole flat vector, the sum over ranks of (examples * mean gradient); undefined to skip the step. */
  readonly gradient: Float32Array | EncodedGradient | undefined;
}

/** What some ranks give to a sum over all ranks. */
export interface Contribution {
  /** One node of the reduction tree. */
  readonly ranks: RankRange;
  readonly step: number;
  /** Which of the step's sums it is for, from 0. */
  readonly round: number;
  /** Fencing tokens of the ranks' leases, in order of rank. */
  readonly tokens: readonly number[];
  /** The sums over ranks of examples, of (examples * mean loss), and of (examples * mean vector). */
  readonly weight: number;
  readonly loss: number;
  readonly values: Float32Array;
}

/** `fenced`: another worker has one of the ranks now, and nothing was added. */
export type ReduceResult =
  | { readonly outcome: 'summed'; readonly weight: number; readonly loss: number }
  | { readonly outcome: 'fenced'; readonly reason: string };

export type ServerDescription = DescribeReply;
export type CheckpointPart = CheckpointPartReply;

/** One shard as the client sees it. */
interface Shard extends Range {
  readonly index: number;
  readonly channel: ServerChannel;
  readonly segments: readonly Segment[];
}

/** Longer than the server is asked to wait, so that its answer wins. */
const graceMs = limits.callDeadlineMs;

/**
 * All shards of one generation of a job, as one flat vector. Every call has a deadline and is repeated while a server cannot be reached; a
 * server's refusal is thrown as it is. When the placement's generation changes, make a new client. (Above 400 lines, because every call of the service
 * is here once: they share fan-out, retries and the target.)
 */
export class ParameterClient {
  readonly #options: ParameterClientOptions;
  readonly #channels = new Map<string, ServerChannel>();
  readonly #shards: readonly Shard[];
  readonly #closed = new AbortController();
  readonly #near: NearChannel | undefined;
  /** Vectors that hold all of this generation's parameters: into these only what changes is read. */
  readonly #whole = new WeakSet<Float32Array>();
  readonly #traffic: Traffic;
  /** Where parameters come as changes: how those are encoded, and which version a vector has, by shard. */
  readonly #changes: JobEncoding | undefined;
  readonly #versions = new WeakMap<Float32Array, (number | undefined)[]>();

  constructor(options: ParameterClientOptions) {
    this.#options = options;
    this.#traffic = options.traffic ?? { pushedBytes: 0, pulledBytes: 0 };
    const trained = options.trained ?? { layout: { tensors: [], length: options.shards.at(-1)?.end ?? 0 } };
    if (options.pullEncoding === 'delta') {
      const everything = { begin: 0, end: trained.layout.length, codec: changeCodec };
      this.#changes = new JobEncoding({ ...trained, encoding: [everything] });
    }
    const { aggregator, log } = options;
    this.#near =
      aggregator === undefined
        ? undefined
        : new NearChannel(aggregator, (message) => log?.('warning', message));
    this.#shards = options.shards.map(({ begin, end, address }, index) => {
      const channel = this.#channels.get(address) ?? openChannel(address, options.transport ?? 'auto');
      this.#channels.set(address, channel);
      return { index, begin, end, channel, segments: segmentsOf(trained, { begin, end }) };
    });
  }

  /**
   * Waits until `step` may begin, and reads its parameters into `into` (the whole flat vector). Throws CANCELLED when `signal` fires; `into` is then in
   * part overwritten. What is frozen is read the first time only: nobody else may write to `into` then.
   */
  async pull(
    step: number,
    into: Float32Array,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<PullResult> {
    for (;;) {
      const headers = await this.#fanOut(signal, (shard, both) => this.#pullShard(shard, step, into, both));
      const result = mergePulls(headers);
      if (result.ready) this.#whole.add(into);
      if (result.ready || result.endStep <= step) return result;
      // The end is being set, and has not reached all shards: some say that the job is over, some that it is not.
      await pause(limits.retryBackoffMs, this.#until(signal));
    }
  }

  /** Reads whatever parameters are there now. */
  async pullLatest(into: Float32Array, { signal }: { signal?: AbortSignal } = {}): Promise<PullResult> {
    const headers = await this.#fanOut(signal, (shard, both) =>
      this.#pullOnce(shard, { step: 0, latest: true, average: false }, into, both),
    );
    return mergePulls(headers);
  }

  /** Reads what is to be evaluated: the average of the parameters, where the optimizer keeps one, else the parameters. */
  async pullAverage(into: Float32Array, { signal }: { signal?: AbortSignal } = {}): Promise<PullResult> {
    const headers = await this.#fanOut(signal, (shard, both) =>
      this.#pullOnce(shard, { step: 0, latest: true, average: true }, into, both),
    );
    return mergePulls(headers);
  }

  /**
   * Gives a gradient to all shards. It must not change until this settles. `gathered`: it may wait at the aggregator for those of other workers; a caller who does not push on
   * before it is answered must not say so.
   */
  async push(
    push: Push,
    { signal, gathered = false }: { signal?: AbortSignal; gathered?: boolean } = {},
  ): Promise<PushResult> {
    const shared = gathered && !isEncoded(push.gradient);
    return mergePushes(
      await this.#fanOut(
        signal,
        (shard, both) => this.#pushShard(shard, push, shared, both),
        this.#receivers(push),
      ),
    );
  }

  /**
   * Adds a contribution to a sum over all ranks, waits until they are all in, and writes the total `into` a vector of that length: the same bits
   * for everyone, however the ranks were grouped. `into` undefined: only adds; for all but the last of the nodes that one worker holds.
   * The vector is cut over the shards' servers as evenly as its blocks allow.
   */
  async reduce(
    contribution: Contribution,
    into: Float32Array | undefined,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<ReduceResult> {
    const ranges = partition(contribution.values.length, this.#shards.length);
    const shards = this.#shards.slice(0, ranges.length);
    const totals = await this.#fanOut(
      signal,
      (shard, both) => this.#reduceRange(shard, ranges[shard.index], contribution, into, both),
      shards,
    );
    const fenced = totals.find(({ outcome }) => outcome === 'FENCED');
    if (fenced !== undefined) return { outcome: 'fenced', reason: fenced.reason };
    const { weight, loss } = totals[0];
    return { outcome: 'summed', weight, loss };
  }

  /** What the servers hold and how far they are, one for each address. */
  async describe({ signal }: { signal?: AbortSignal } = {}): Promise<ServerDescription[]> {
    return Promise.all(
      [...this.#channels.values()].map((channel) =>
        this.#retrying(signal, (until) => this.#describeServer(channel, until)),
      ),
    );
  }

  /** The block sums of squares of one shard's mean gradient at `step`, once its sum is complete. */
  async blockSquares(
    shard: number,
    step: number,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Float64Array> {
    const { channel } = this.#shards[shard];
    const request = { target: this.#target(shard), step, waitMs: limits.pullWaitMs };
    const deadlineMs = limits.pullWaitMs + graceMs;
    for (;;) {
      const reply = await this.#retrying(signal, (until) =>
        channel.unary('BlockSquares', request, { deadlineMs, signal: until }),
      );
      if (reply.ready) return Float64Array.from(reply.squares);
    }
  }

  /** What one shard wrote of the checkpoint of `step`; waits up to `waitMs` for it. */
  checkpointPart(
    shard: number,
    step: number,
    waitMs: number,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<CheckpointPart> {
    const request = { target: this.#target(shard), step, waitMs };
    const deadlineMs = waitMs + graceMs;
    return this.#retrying(signal, (until) =>
      this.#shards[shard].channel.unary('CheckpointPart', request, { deadlineMs, signal: until }),
    );
  }

  /**
   * Sets the step at which every rank stops, and returns the one in force on all shards. It may be later: a shard does not go below a
   * step that a rank may have begun, and the latest of the answers is then given to all.
   */
  async endAt(step: number, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    for (let asked = step; ; ) {
      const inForce = await this.#fanOut(signal, async ({ index, channel }, both) => {
        const request = { target: this.#target(index), step: asked };
        const { endStep } = await this.#retrying(both, (until) =>
          channel.unary('EndAt', request, { deadlineMs: limits.callDeadlineMs, signal: until }),
        );
        return endStep;
      });
      const latest = Math.max(...inForce);
      if (inForce.every((endStep) => endStep === latest)) return latest;
      asked = latest;
    }
  }

  /** Ends every call under way with CANCELLED. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#near?.close();
    for (const channel of this.#channels.values()) channel.close();
  }

  async #describeServer(channel: ServerChannel, signal: AbortSignal): Promise<ServerDescription> {
    const { jobHash, generation } = this.#options;
    const callLimits = { deadlineMs: limits.callDeadlineMs, signal };
    const reply = await channel.unary('Describe', { jobHash }, callLimits);
    if (reply.generation === generation) return reply;
    throw new TributaryError(
      reply.generation < generation ? 'UNAVAILABLE' : 'FAILED_PRECONDITION',
      `server ${channel.address}: it serves generation ${reply.generation}, not ${generation}`,
    );
  }

  /** Asks one shard until `step` may begin there, or the shard says that the job ends before. */
  async #pullShard(
    shard: Shard,
    step: number,
    into: Float32Array,
    signal: AbortSignal | undefined,
  ): Promise<PullHeader> {
    for (;;) {
      const header = await this.#pullOnce(shard, { step, latest: false, average: false }, into, signal);
      if (header.ready || header.endStep <= step) return header;
    }
  }

  async #pullOnce(
    shard: Shard,
    what: { step: number; latest: boolean; average: boolean },
    into: Float32Array,
    signal: AbortSignal | undefined,
  ): Promise<PullHeader> {
    const { index, begin, end } = shard;
    const changedOnly = this.#whole.has(into);
    const changes = what.latest ? undefined : this.#changes;
    const versions = this.#versionsOf(into);
    const attempt = async (channel: ServerChannel, deadlineMs: number, until: AbortSignal) => {
      const had = changes && versions[index];
      const request = {
        ...{ target: this.#target(index), ...what, changedOnly, waitMs: limits.pullWaitMs },
        encoding: this.#wireEncoding(changes !== undefined),
        since: had === undefined ? 0 : had + 1,
      };
      const receiver = this.#pullReceiver(shard, into, changes?.at(what.step - 1));
      // Until all of it is there, the vector is no version.
      versions[index] = undefined;
      const { trace } = this.#options;
      const traced = trace && new TracedReceiver(receiver, trace, index, what.step);
      const header = await channel.pull(request, traced ?? receiver, { deadlineMs, signal: until });
      traced?.end();
      if (!header.ready) versions[index] = had;
      else {
        const isPart = changedOnly || (changes !== undefined && header.encoding === request.encoding);
        receiver.finish(isPart ? header.length : end - begin);
        versions[index] = header.version;
      }
      return header;
    };
    return this.#ask(shard, signal, { deadlineMs: limits.pullDeadlineMs, near: !what.latest }, attempt);
  }

  /** Which versions a vector has, by shard. */
  #versionsOf(into: Float32Array): (number | undefined)[] {
    const versions = this.#versions.get(into) ?? [];
    this.#versions.set(into, versions);
    return versions;
  }

  #wireEncoding(changes: boolean): string {
    const { pullEncoding = 'f32' } = this.#options;
    if (changes) return changeCodec.name.toUpperCase();
    return pullEncoding === 'delta' ? 'F32' : pullEncoding.toUpperCase();
  }

  /** `changes`: how a change is encoded, if one may come. */
  #pullReceiver(
    { index, channel, begin, end }: Shard,
    into: Float32Array,
    changes: VectorEncoding | undefined,
  ): VectorReceiver | EncodedReceiver | ChangeReceiver {
    const { pullEncoding = 'f32', kernels = plainKernels } = this.#options;
    const target = into.subarray(begin, end);
    const what = `server ${channel.address}: the parameters of shard ${index}`;
    const common = { target, kernels, what, traffic: this.#traffic };
    if (changes !== undefined)
      return new ChangeReceiver({ ...common, range: { begin, end }, encoding: changes });
    if (pullEncoding === 'f32' || pullEncoding === 'delta')
      return new VectorReceiver(target, what, this.#traffic);
    return new EncodedReceiver({ ...common, codec: createCodec({ name: pullEncoding }) });
  }

  async #pushShard(
    shard: Shard,
    push: Push,
    gathered: boolean,
    signal: AbortSignal | undefined,
  ): Promise<ShardPush> {
    const { index } = shard;
    const header = {
      target: this.#target(index),
      rankBegin: push.ranks.begin,
      rankEnd: push.ranks.end,
      step: push.step,
      tokens: [...push.tokens],
      weight: push.gradient === undefined ? 0 : push.weight,
      loss: push.loss,
      squares: push.squares,
      encoding: isEncoded(push.gradient) ? push.gradient.name : 'F32',
      version: push.versions?.[index] ?? 0,
    };
    const { rankBegin, rankEnd, step } = header;
    const end = this.#options.trace?.begin(`push shard ${index}`, 'push', { rankBegin, rankEnd, step });
    const attempt = (channel: ServerChannel, deadlineMs: number, until: AbortSignal) =>
      channel.push(header, this.#sent(pushChunks(push, shard)), { deadlineMs, signal: until });
    const how = { deadlineMs: limits.pushDeadlineMs, near: gathered };
    const reply = await this.#ask(shard, signal, how, attempt);
    end?.();
    const { reason, clock, endStep } = reply;
    return { shard: index, outcome: reply.outcome.toLowerCase() as PushOutcome, reason, clock, endStep };
  }

  /** One server's part of a sum, asked for until it is complete. */
  async #reduceRange(
    { index, channel }: Shard,
    { begin, end }: Range,
    { ranks, step, round, tokens, weight, loss, values }: Contribution,
    into: Float32Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ReduceTotalHeader> {
    const header = {
      target: this.#target(index),
      rankBegin: ranks.begin,
      rankEnd: ranks.end,
      step,
      round,
      tokens: [...tokens],
      length: end - begin,
      weight,
      loss,
      waitMs: into === undefined ? 0 : limits.pullWaitMs,
    };
    const slice = into?.subarray(begin, end);
    const done = this.#options.trace?.begin(`reduce shard ${index}`, 'reduce', { step, round });
    for (;;) {
      const total = await this.#retrying(signal, async (until) => {
        const what = `server ${channel.address}: sum ${round} of step ${step}`;
        const receiver = slice && new VectorReceiver(slice, what, this.#traffic);
        const reply = await channel.reduce(
          header,
          this.#sent(chunksOf(values.subarray(begin, end), [{ begin: 0, end: end - begin }])),
          receiver,
          { deadlineMs: limits.pullDeadlineMs, signal: until },
        );
        if (reply.outcome === 'APPLIED') receiver?.finish(end - begin);
        return reply;
      });
      if (total.outcome === 'WAITING' && into !== undefined) continue;
      done?.();
      return total;
    }
  }

  /**
   * All shards; but of a push that is not finite (what is encoded is) only the first that will reject it. Were the others to keep their part, the step would be half
   * skipped.
   */
  #receivers({ gradient, loss, step }: Push): readonly Shard[] {
    if (this.#shards.length === 1) return this.#shards;
    const broken =
      gradient &&
      !isEncoded(gradient) &&
      this.#shards.find(({ segments }) =>
        liveRanges(segments, step).some(({ begin, end }) => firstNonFinite(gradient, begin, end) >= 0),
      );
    if (broken) return [broken];
    return Number.isFinite(loss) ? this.#shards : this.#shards.slice(0, 1);
  }

  *#sent(chunks: Iterable<Chunk>): Generator<Chunk> {
    for (const chunk of chunks) {
      this.#traffic.pushedBytes += chunk.data.length;
      yield chunk;
    }
  }

  #target(shard: number): Target {
    return { jobHash: this.#options.jobHash, generation: this.#options.generation, shard };
  }

  /** Calls all shards at once. When one fails the others are cancelled, and the failure is thrown after all have come to rest. */
  async #fanOut<Result>(
    signal: AbortSignal | undefined,
    call: (shard: Shard, signal: AbortSignal | undefined) => Promise<Result>,
    shards: readonly Shard[] = this.#shards,
  ): Promise<Result[]> {
    if (shards.length === 1) return [await call(shards[0], signal)];
    const failure = new AbortController();
    const both = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
    const settled = await Promise.allSettled(
      shards.map((shard) =>
        call(shard, both).catch((error: unknown) => {
          failure.abort(error);
          throw error;
        }),
      ),
    );
    if (failure.signal.aborted) throw failure.signal.reason;
    return settled.map((result) => {
      invariant(result.status === 'fulfilled', 'a failed call aborts the fan-out');
      return result.value;
    });
  }

  /** One call, made again as retry.ts says, until it succeeds, `signal` fires or the client is closed. */
  #retrying<Result>(
    signal: AbortSignal | undefined,
    attempt: (until: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const until = this.#until(signal);
    return callWithRetries(() => attempt(until), {
      totalMs: this.#options.retryTotalMs ?? limits.retryTotalMs,
      signal: until,
      onFailure: (error) => this.#options.log?.('warning', `${error.message}; trying again`),
      toldAfterMs: this.#options.toldAfterMs ?? 0,
    });
  }

  /** A call to a server, made again as retry.ts says. `near`: by way of the aggregator, if there is one and it can. */
  async #ask<Result>(
    { channel }: Shard,
    signal: AbortSignal | undefined,
    { deadlineMs, near }: { deadlineMs: number; near: boolean },
    call: ChannelCall<Result>,
  ): Promise<Result> {
    const answer = near ? await this.#near?.attempt(call, this.#until(signal)) : undefined;
    return answer ?? this.#retrying(signal, (until) => call(channel, deadlineMs, until));
  }

  /** Fires with `signal`, and when the client is closed. */
  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closed.signal : AbortSignal.any([this.#closed.signal, signal]);
  }
}

function mergePulls(headers: readonly PullHeader[]): PullResult {
  return {
    ready: headers.every((header) => header.ready),
    versions: headers.map((header) => header.version),
    clock: Math.min(...headers.map((header) => header.clock)),
    endStep: Math.max(...headers.map((header) => header.endStep)),
  };
}

function isEncoded(gradient: Push['gradient']): gradient is EncodedGradient {
  return gradient !== undefined && 'encoding' in gradient;
}

/** What of a gradient a shard gets. */
function pushChunks({ gradient, step }: Push, { begin, end, segments }: Shard): Iterable<Chunk> {
  if (gradient === undefined) return [];
  if (isEncoded(gradient)) {
    const { encoding, bytes, encode } = gradient;
    return encoding.chunks(bytes, { begin, end }, encode);
  }
  const live = liveRanges(segments, step).map((range) => ({
    begin: range.begin - begin,
    end: range.end - begin,
  }));
  return chunksOf(gradient.subarray(begin, end), live);
}
