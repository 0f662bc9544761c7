import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import type { Coordinator, Placement } from '@tributary/coordinator/Coordinator.ts';
import { Heartbeat } from '@tributary/coordinator/Heartbeat.ts';
import { MetricsQueue } from '@tributary/coordinator/MetricsQueue.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { advertisedAddress } from './membership/advertisedAddress.ts';
import { followPlacement } from './membership/followPlacement.ts';
import { type LoadedShards, loadShards } from './membership/loadShards.ts';
import { RpcServer } from './rpc/RpcServer.ts';

export interface ServerOptions {
  /** Open, and closed by the caller after `stopped`. */
  readonly coordinator: Coordinator;
  /** This process among the members; no other has or had it. */
  readonly memberId: string;
  /** `host:port` (port 0: any free one) or `unix:PATH`. */
  readonly bind: string;
  /** How others reach this server, if not by the bind address. */
  readonly advertise?: string;
  /** Default: auto. */
  readonly transport?: TransportChoice;
  readonly leaseMs: number;
  /** What takes how long, if anybody wants to know. */
  readonly trace?: Trace | undefined;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
}

export interface RunningServer {
  /** As advertised. */
  readonly address: string;
  /** Settles when the server has come to rest; rejects if a defect ended it. */
  readonly stopped: Promise<void>;
  /** Lets the calls under way end, leaves the members, and writes what is still to be written. */
  stop(): Promise<void>;
}

/**
 * A parameter server: joins the members of a job, waits for a placement, and serves the shards that it is given, for as long as they are its own. It
 * starts with nothing and needs no job file. Fails with FAILED_PRECONDITION if the address cannot be had, UNAVAILABLE without a coordinator.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = new ServerProcess(options);
  await server.start();
  return server;
}

/** What is less than this factor is no news of a server's memory. */
const memoryGrowth = 1.02;

class ServerProcess implements RunningServer {
  readonly stopped: Promise<void>;
  readonly #options: ServerOptions;
  readonly #metrics: MetricsQueue;
  readonly #stopping = new AbortController();
  readonly #settle: { resolve: () => void; reject: (error: unknown) => void };
  #rpc!: RpcServer;
  #heartbeat!: Heartbeat;
  #following: Promise<void> = Promise.resolve();
  #address = '';
  #loaded: LoadedShards | undefined;
  #generation = 0;
  #memoryBytes = 0;
  #memoryTimer: NodeJS.Timeout | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#metrics = new MetricsQueue(options.coordinator);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.stopped = promise;
    this.#settle = { resolve, reject };
  }

  get address(): string {
    return this.#address;
  }

  async start(): Promise<void> {
    const { coordinator, memberId, bind, advertise, transport, leaseMs, log } = this.#options;
    this.#rpc = await RpcServer.listen(bind, { loaded: () => this.#shardSet(), log }, transport);
    this.#address = advertise ?? advertisedAddress(this.#rpc.address);
    this.#heartbeat = new Heartbeat({
      coordinator,
      member: { id: memberId, role: 'server', address: this.#address, startedAtMs: Date.now() },
      ttlMs: leaseMs,
      onLost: () => {},
      onUnavailable: (error) =>
        log('warning', `the coordinator cannot be reached, going on without it: ${error.message}`),
      onRecovered: () => log('info', 'the coordinator is back'),
    });
    try {
      await this.#heartbeat.start();
    } catch (error) {
      await this.#rpc.stop();
      throw error;
    }
    this.#memoryTimer = setInterval(() => this.#tellMemory(), limits.usageEveryMs);
    this.#following = followPlacement(coordinator, (placement) => this.#follow(placement), {
      signal: this.#stopping.signal,
      // The heartbeat tells when the coordinator is away.
      onFailure: (error) => {
        if (error.code !== 'UNAVAILABLE') this.#event('error', error.line);
      },
    });
    this.#following.catch((error: unknown) => {
      this.#settle.reject(error);
      void this.stop();
    });
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return this.stopped;
    this.#stopping.abort();
    this.#rpc.setServing(false);
    await this.#following.catch(() => {});
    clearInterval(this.#memoryTimer);
    await this.#drop(new TributaryError('UNAVAILABLE', 'the server is stopping'));
    await this.#rpc.stop();
    await this.#heartbeat.stop();
    await this.#metrics.close();
    this.#settle.resolve();
  }

  #shardSet() {
    if (this.#loaded === undefined) throw new TributaryError('UNAVAILABLE', 'no shards are loaded here yet');
    return this.#loaded.set;
  }

  /** Shards are loaded when a generation begins and kept until the next one; the ranks of a placement are not a server's matter. */
  async #follow(placement: Placement): Promise<void> {
    const { generation } = placement;
    if (generation === this.#generation) return;
    await this.#drop(new TributaryError('FAILED_PRECONDITION', `generation ${generation} begins`));
    const { coordinator, memberId, transport = 'auto', trace } = this.#options;
    // It may have the address of one that is gone, which others still ask: with no shards loaded they are to ask again, until the placement says where to.
    if (placement.shards.every(({ server }) => server !== memberId)) {
      this.#generation = generation;
      this.#options.log('info', `generation ${generation} gives this server no shard; standing by`);
      return;
    }
    const event = this.#event.bind(this);
    const metrics = this.#metrics;
    this.#loaded = await loadShards(placement, {
      ...{ coordinator, memberId, transport, metrics, trace, event },
    });
    this.#generation = generation;
    const shards = [...this.#loaded.set.shards.keys()];
    this.#options.log(
      'info',
      `generation ${generation}: serving shard ${shards.join(', ')} from checkpoint ${placement.checkpoint}`,
    );
    this.#rpc.setServing(true);
  }

  async #drop(reason: TributaryError): Promise<void> {
    this.#rpc.setServing(false);
    const loaded = this.#loaded;
    this.#loaded = undefined;
    await loaded?.close(reason);
  }

  /** Of a server with shards, whenever it has grown by a part worth telling. */
  #tellMemory(): void {
    const bytes = process.memoryUsage.rss();
    if (this.#generation === 0 || bytes < this.#memoryBytes * memoryGrowth) return;
    this.#memoryBytes = bytes;
    const { memberId } = this.#options;
    const nothing = { step: 0, examples: 0, pushedBytes: 0, pulledBytes: 0 };
    this.#metrics.append({
      kind: 'usage',
      member: memberId,
      ...nothing,
      memoryBytes: bytes,
      timeMs: Date.now(),
    });
  }

  #event(level: 'info' | 'warning' | 'error', message: string): void {
    const { log, memberId } = this.#options;
    log(level, message);
    this.#metrics.append({ kind: 'event', level, source: memberId, message, timeMs: Date.now() });
  }
}
