import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ParameterClient,
  type ParameterClientOptions,
  type Push,
} from '@tributary/client/ParameterClient.ts';
import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import type {
  CheckpointManifest,
  Coordinator,
  Lease,
  MetricEntry,
  Placement,
} from '@tributary/coordinator/Coordinator.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { checkpointId } from '@tributary/core/checkpoint-format/checkpointId.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { shardRanges } from '@tributary/core/optimizer/shardRanges.ts';
import { CheckpointWriter } from '@tributary/server/controller/CheckpointWriter.ts';
import { type RunningServer, startServer } from '@tributary/server/ServerProcess.ts';
import { onTestFinished } from 'vitest';

export type Logged = { level: string; message: string };

/** Two tensors, so that a shard border can lie in one of them and an error can name the other. */
export function testSpec(change: Partial<JobSpec> = {}): JobSpec {
  return {
    name: 'test',
    seed: 1,
    ranks: 4,
    batchSize: 2,
    steps: 100,
    stepsPerEpoch: 10,
    sampling: 'shuffled',
    lastBatch: 'dropped',
    trainSize: 80,
    staleness: 0,
    optimizer: { name: 'sgd', hyperparameters: { learningRate: 0.5 } },
    schedule: { name: 'constant', options: {} },
    clipping: {},
    layout: createLayout([
      { name: 'first', shape: [1500] },
      { name: 'second', shape: [1000] },
    ]),
    checkpointEverySteps: 0,
    checkpointsKept: 3,
    evaluateEverySteps: 0,
    rejectedMax: 10,
    ...change,
  };
}

type ClientOptions = Omit<ParameterClientOptions, 'shards'> & { address: string };

/** Real servers on real sockets with an embedded coordinator, in this process. The test plays the controller. */
export class TestCluster {
  readonly spec: JobSpec;
  readonly hash: string;
  readonly coordinator: Coordinator;
  readonly servers: RunningServer[] = [];
  readonly logged: Logged[] = [];
  placement!: Placement;
  readonly #folder: string;
  readonly #fence: Lease;
  readonly #clients: ParameterClient[] = [];

  private constructor(spec: JobSpec, coordinator: Coordinator, folder: string, fence: Lease) {
    this.spec = spec;
    this.hash = jobHash(spec);
    this.coordinator = coordinator;
    this.#folder = folder;
    this.#fence = fence;
  }

  /** Stopped when the test ends. */
  static async start(
    spec: JobSpec,
    servers: number,
    options: { initial?: Float32Array; clocks?: number[]; transport?: TransportChoice; bind?: string } = {},
  ) {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-test-'));
    const coordinator = await openCoordinator(`sqlite:${join(folder, 'job.sqlite')}`, spec.name);
    const fence = await coordinator.acquireLease('controller', 'test', 600_000);
    const cluster = new TestCluster(spec, coordinator, folder, fence!);
    await coordinator.createJob({
      spec,
      hash: cluster.hash,
      state: 'running',
      endStep: spec.steps,
      error: '',
      createdAtMs: 0,
    });
    const initial = options.initial ?? new Float32Array(spec.layout.length);
    const manifest = await cluster.writer.writeInitial(initial, 0);
    for (let index = 0; index < servers; index++)
      await cluster.startServer(options.bind, undefined, options.transport);
    await cluster.place(
      1,
      options.clocks === undefined ? manifest.id : await cluster.#withClocks(manifest, options.clocks),
    );
    onTestFinished(() => cluster.#stop());
    return cluster;
  }

  /** The same checkpoint once more, of ranks that are at different steps. */
  async #withClocks(manifest: CheckpointManifest, clocks: number[]): Promise<string> {
    const id = 'apart';
    for (const { index } of manifest.chunks) {
      const bytes = await this.coordinator.checkpoints.getChunk(manifest.id, index);
      await this.coordinator.checkpoints.putChunk(id, index, bytes!);
    }
    const shards = manifest.shards.map((shard) => ({ ...shard, clocks }));
    await this.coordinator.checkpoints.commit(
      { ...manifest, id, step: Math.min(...clocks), shards },
      this.#fence,
    );
    return id;
  }

  /** What was told of the training: all but what the processes used, which comes when it comes. */
  async metrics(): Promise<MetricEntry[]> {
    const { entries } = await this.coordinator.readMetrics('', 100);
    return entries.filter(({ kind }) => kind !== 'usage');
  }

  get writer(): CheckpointWriter {
    return new CheckpointWriter(this.coordinator, this.spec, this.hash, this.#fence);
  }

  async startServer(
    bind = '127.0.0.1:0',
    advertise?: string,
    transport: TransportChoice = 'auto',
  ): Promise<RunningServer> {
    const memberId = `server-${this.servers.length}`;
    const server = await startServer({
      coordinator: this.coordinator,
      memberId,
      bind,
      transport,
      ...(advertise === undefined ? {} : { advertise }),
      leaseMs: 60_000,
      log: (level, message) => this.logged.push({ level, message }),
    });
    this.servers.push(server);
    return server;
  }

  /** Gives each server one shard, and waits until they are loaded from the checkpoint. */
  async place(generation: number, checkpoint: string, servers = this.servers): Promise<void> {
    const shards = shardRanges(this.spec, servers.length).map((range, index) => ({
      ...range,
      server: `server-${this.servers.indexOf(servers[index])}`,
      address: servers[index].address,
    }));
    const ranks = new Array<string>(this.spec.ranks).fill('test');
    await this.write({ generation, checkpoint, shards, ranks });
    await this.client().describe();
  }

  /** Commits the checkpoint of `step`, which the servers wrote, and loads it on one server more. */
  async moveToOneMore(client: ParameterClient, step: number): Promise<void> {
    const { shards, generation } = this.placement;
    const parts = await Promise.all(shards.map((_, shard) => client.checkpointPart(shard, step, 10_000)));
    const { id } = await this.writer.commitParts(checkpointId(generation, step), step, shards, parts, 0);
    await this.startServer();
    await this.place(generation + 1, id);
  }

  /** Writes the next placement; what is not given stays. */
  async write(change: Partial<Placement>): Promise<void> {
    const epoch = this.placement?.epoch ?? 0;
    this.placement = { ...this.placement, ...change, epoch: epoch + 1 };
    const outcome = await this.coordinator.replacePlacement(this.placement, epoch, this.#fence);
    if (outcome !== 'written') throw new Error(outcome);
  }

  /** A client of all shards; `address` puts another one in the place of the servers'. */
  client(change: Partial<ClientOptions> = {}): ParameterClient {
    const { address, ...rest } = change;
    const { generation } = this.placement;
    const shards = this.placement.shards.map((shard) => ({ ...shard, address: address ?? shard.address }));
    const client = new ParameterClient({
      ...{ jobHash: this.hash, generation, shards, trained: this.spec },
      ...rest,
    });
    this.#clients.push(client);
    return client;
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.coordinator.close();
    await rm(this.#folder, { recursive: true });
  }
}

/** A gradient that differs in every element, rank and step. */
export function gradientOf(rank: number, step: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => Math.sin(index * 0.37 + rank * 1.7 + step * 0.91) / 3);
}

/** Equal to the last bit: -0 is not 0 here. Of a million elements faster than a matcher, which would print them. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bytes(a).equals(bytes(b));
}

/** The push of one rank, with all the fields that a test does not care about. */
export function pushOf(
  rank: number,
  step: number,
  gradient: Push['gradient'],
  change: Partial<{ tokens: number[]; weight: number; loss: number }> = {},
) {
  return {
    ranks: { begin: rank, end: rank + 1 },
    step,
    tokens: [1],
    weight: 2,
    loss: 1,
    squares: 0,
    gradient,
    ...change,
  };
}
