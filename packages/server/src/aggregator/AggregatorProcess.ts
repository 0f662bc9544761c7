import type { PushHeader } from '@tributary/client/transport/messages.ts';
import { openChannel } from '@tributary/client/transport/openChannel.ts';
import type { ServerChannel } from '@tributary/client/transport/ServerChannel.ts';
import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import type { Coordinator, Placement } from '@tributary/coordinator/Coordinator.ts';
import { chunksOf } from '@tributary/core/codec/chunksOf.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import { liveRanges, segmentsOf } from '@tributary/core/layout/segments.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import { followPlacement } from '../membership/followPlacement.ts';
import { removeStaleSocket } from '../rpc/bind.ts';
import type { ExchangeSession } from '../rpc/ExchangeSession.ts';
import { FastServer } from '../rpc/fast/FastServer.ts';
import { exchangeMethod } from '../rpc/fast/methods.ts';
import { GatheredPush, type GatheredShard } from './GatheredPush.ts';
import { direct, PushGathering } from './PushGathering.ts';
import { SharedPulls } from './SharedPulls.ts';

export interface AggregatorOptions {
  /** Open, and closed by the caller after `stopped`. */
  readonly coordinator: Coordinator;
  /** `unix:PATH`: it is for the workers of this host. */
  readonly bind: string;
  /** To the servers. */
  readonly transport: TransportChoice;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
}

export interface RunningAggregator {
  /** Settles when it has come to rest; rejects with FAILED_PRECONDITION if the job is not synchronous. */
  readonly stopped: Promise<void>;
  /** Lets what is under way end. Workers go on without it. */
  stop(): Promise<void>;
}

/** One shard of the generation that is followed, as workers reach it here. */
interface SharedShard extends GatheredShard {
  readonly pulls: SharedPulls;
}

interface Followed {
  readonly jobHash: string;
  readonly generation: number;
  readonly shards: readonly SharedShard[];
  readonly channels: readonly ServerChannel[];
}

/**
 * Stands between the workers of one host and the servers: adds the gradients of a step before they travel, and pulls parameters once for all. It holds nothing that is not held
 * elsewhere too; a worker that cannot reach it, or hears ABORTED, goes to the servers. Fails with FAILED_PRECONDITION if the socket cannot be had.
 */
export async function startAggregator(options: AggregatorOptions): Promise<RunningAggregator> {
  const aggregator = new AggregatorProcess(options);
  await aggregator.start();
  return aggregator;
}

class AggregatorProcess implements RunningAggregator {
  readonly stopped: Promise<void>;
  readonly #options: AggregatorOptions;
  readonly #settle: { resolve: () => void; reject: (error: unknown) => void };
  readonly #stopping = new AbortController();
  readonly #sessions = new Set<ExchangeSession>();
  #server!: FastServer;
  #following: Promise<void> = Promise.resolve();
  #followed: Followed | undefined;

  constructor(options: AggregatorOptions) {
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.stopped = promise;
    this.#settle = { resolve, reject };
  }

  async start(): Promise<void> {
    const { coordinator, bind, log } = this.#options;
    const methods = exchangeMethod({
      sessions: this.#sessions,
      receivePush: () => new GatheredPush(({ target }) => this.#find(target)),
      answerPull: async (request, writer) => this.#find(request.target).pulls.answer(request, writer),
      log,
    });
    await removeStaleSocket(bind);
    this.#server = await FastServer.listen(bind, { methods, log });
    this.#following = followPlacement(coordinator, (placement) => this.#follow(placement), {
      signal: this.#stopping.signal,
      onFailure: (error) => log('warning', error.line),
    });
    this.#following.catch((error: unknown) => {
      this.#settle.reject(error);
      void this.stop();
    });
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return this.stopped;
    this.#stopping.abort();
    await this.#following.catch(() => {});
    this.#drop();
    for (const session of [...this.#sessions]) session.leave();
    const timer = setTimeout(() => this.#server.destroy(), limits.serverDrainMs);
    await this.#server.stop();
    clearTimeout(timer);
    this.#settle.resolve();
  }

  async #follow({ generation, shards }: Placement): Promise<void> {
    if (generation === this.#followed?.generation) return;
    const { coordinator, transport, log } = this.#options;
    const record = await coordinator.jobRecord();
    if (record === undefined || this.#stopping.signal.aborted) return;
    this.#drop();
    const { spec, hash } = record;
    if (spec.staleness !== 0) {
      this.#settle.reject(notSynchronous(spec));
      void this.stop();
      return;
    }
    const channels = new Map<string, ServerChannel>();
    const shared = shards.map(({ address, begin, end }) => {
      const channel = channels.get(address) ?? openChannel(address, transport);
      channels.set(address, channel);
      return sharedShard(spec, { begin, end }, channel);
    });
    this.#followed = { jobHash: hash, generation, shards: shared, channels: [...channels.values()] };
    log('info', `generation ${generation}: gathering for ${shards.length} shards`);
  }

  #drop(): void {
    for (const { gathering } of this.#followed?.shards ?? []) gathering.close();
    for (const channel of this.#followed?.channels ?? []) channel.close();
    this.#followed = undefined;
  }

  #find({ jobHash, generation, shard }: PushHeader['target']): SharedShard {
    const followed = this.#followed;
    const isOurs = followed?.jobHash === jobHash && followed.generation === generation;
    const found = isOurs ? followed.shards[shard] : undefined;
    if (found === undefined) throw direct('that is not of the generation that is followed here');
    return found;
  }
}

function sharedShard(spec: JobSpec, range: Range, channel: ServerChannel): SharedShard {
  const kernels = createKernels();
  const segments = segmentsOf(spec, range);
  const live = (step: number) =>
    liveRanges(segments, step).map(({ begin, end }) => ({
      begin: begin - range.begin,
      end: end - range.begin,
    }));
  const gathering = new PushGathering({
    ranks: spec.ranks,
    length: range.end - range.begin,
    kernels,
    send: (header, values) =>
      channel.push(header, chunksOf(values, live(header.step)), { deadlineMs: limits.pushDeadlineMs }),
  });
  const pulls = new SharedPulls((request, receiver) =>
    channel.pull(request, receiver, { deadlineMs: limits.pullDeadlineMs }),
  );
  return { gathering, pulls, live, allFinite: kernels.allFinite };
}

function notSynchronous({ name, staleness }: JobSpec): TributaryError {
  return new TributaryError(
    'FAILED_PRECONDITION',
    `job "${name}" has a staleness of ${staleness}: an aggregator adds the gradients of one step, which only the synchronous mode has`,
    { hint: 'Let the workers do without --aggregator.' },
  );
}
