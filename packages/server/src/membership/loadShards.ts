import { ParameterClient } from '@tributary/client/ParameterClient.ts';
import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import type { Coordinator, MetricEntry, Placement } from '@tributary/coordinator/Coordinator.ts';
import { slowest } from '@tributary/core/consistency/clocks.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { restoreShard } from '../checkpoint/restoreShard.ts';
import { ShardCheckpoints } from '../checkpoint/ShardCheckpoints.ts';
import { Shard, type ShardState } from '../shard/Shard.ts';
import { ShardSet } from '../shard/ShardSet.ts';

export interface LoadOptions {
  readonly coordinator: Coordinator;
  readonly memberId: string;
  /** To the servers of the other shards. */
  readonly transport: TransportChoice;
  readonly trace?: Trace | undefined;
  readonly metrics: { append(entry: MetricEntry): void };
  /** Also told to the job's metrics, for whoever watches the job. */
  event(level: 'info' | 'warning' | 'error', message: string): void;
}

/** What a placement gives to one server. */
export interface LoadedShards {
  readonly set: ShardSet;
  /** Refuses every call with `reason` from now on, and waits until nothing is being written any more. */
  close(reason: TributaryError): Promise<void>;
}

/** Loads the shards that the placement gives this server, from the placement's checkpoint. */
export async function loadShards(placement: Placement, options: LoadOptions): Promise<LoadedShards> {
  const { coordinator, memberId, transport, metrics, trace, event } = options;
  const { generation, shards } = placement;
  const mine = [...shards.keys()].filter((index) => shards[index].server === memberId);
  const record = await coordinator.jobRecord();
  if (record === undefined) throw missing(`the record of job "${coordinator.job}"`);
  const { spec, hash } = record;
  const loaded: { kernels: VectorKernels; state: ShardState }[] = [];
  const manifests = await coordinator.checkpoints.list();
  const manifest = manifests.find(({ id }) => id === placement.checkpoint);
  if (manifest === undefined) throw missing(`checkpoint ${placement.checkpoint}`);
  for (const index of mine) {
    // Each shard has a memory of its own: 4 GiB are the bound of a shard, not of a server.
    const kernels = createKernels();
    const { checkpoints } = coordinator;
    const state = await restoreShard(checkpoints, manifest, spec, shards[index], kernels.allocate);
    loaded.push({ kernels, state });
  }

  const peers = new ParameterClient({ jobHash: hash, generation, shards, transport, log: event });
  const set = new ShardSet({
    jobHash: hash,
    generation,
    spec,
    onFailed: (reason) => event('error', `the job failed: ${reason}`),
  });
  const squaresOf = async (index: number, step: number, signal: AbortSignal): Promise<Float64Array> => {
    const held = set.shards.get(index);
    if (held === undefined) return peers.blockSquares(index, step, { signal });
    const squares = await held.shard.blockSquares(step, limits.waitMsMax, signal);
    return squares ?? squaresOf(index, step, signal);
  };

  for (const [order, index] of mine.entries()) {
    const { begin, end } = shards[index];
    const traceHere = trace?.within(`shard ${index}`);
    const { kernels, state } = loaded[order];
    const checkpoints = new ShardCheckpoints({
      store: coordinator.checkpoints,
      spec,
      generation,
      ranges: shards,
      shard: index,
      startStep: slowest(state.clocks),
      trace: traceHere,
      log: event,
    });
    const shard = new Shard({
      range: { begin, end },
      spec,
      kernels,
      state,
      endStep: record.endStep,
      trace: traceHere,
      gatherSquares: (step, own, signal) =>
        Promise.all(shards.map((_, other) => (other === index ? own : squaresOf(other, step, signal)))),
      onStep: (step) => {
        // One voice for the whole gradient: all shards close the same steps.
        if (index === 0) metrics.append({ kind: 'step', ...step, timeMs: Date.now() });
      },
      onNoise: (step, noise) => {
        if (index === 0) metrics.append({ kind: 'noise', step, ...noise, timeMs: Date.now() });
      },
      onSnapshot: (snapshot) => checkpoints.write(snapshot, snapshot.step === shard.endStep),
      onRejected: (rejection) => {
        set.reject(rejection);
        metrics.append({ kind: 'rejected', ...rejection, total: set.rejected, timeMs: Date.now() });
      },
      log: event,
    });
    set.add(index, { shard, checkpoints });
  }

  return {
    set,
    async close(reason) {
      set.close(reason);
      await Promise.all([...set.shards.values()].map(({ checkpoints }) => checkpoints.close()));
      await peers.close();
    },
  };
}

function missing(what: string): TributaryError {
  return new TributaryError('NOT_FOUND', `${what}, which the placement needs, does not exist`);
}
