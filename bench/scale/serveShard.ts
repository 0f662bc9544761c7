import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { partition } from '@tributary/core/partition/partition.ts';
import type { ShardCheckpoints } from '@tributary/server/checkpoint/ShardCheckpoints.ts';
import { RpcServer } from '@tributary/server/rpc/RpcServer.ts';
import { Shard } from '@tributary/server/shard/Shard.ts';
import { ShardSet } from '@tributary/server/shard/ShardSet.ts';

/** A job without an end, of one tensor. */
export function benchSpec(length: number, optimizer: string, change: Partial<JobSpec> = {}): JobSpec {
  return {
    name: 'bench',
    seed: 1,
    ranks: 1,
    batchSize: 1,
    steps: 1e9,
    stepsPerEpoch: 1e9,
    sampling: 'shuffled',
    lastBatch: 'dropped',
    trainSize: 1e9,
    staleness: 0,
    optimizer: { name: optimizer, hyperparameters: { learningRate: 1e-3 } },
    schedule: { name: 'constant', options: {} },
    clipping: {},
    layout: { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length },
    checkpointEverySteps: 0,
    checkpointsKept: 3,
    evaluateEverySteps: 0,
    rejectedMax: 10,
    ...change,
  };
}

/** Serves one shard of `servers`, without a coordinator: no checkpoints, and nobody to tell. Returns the address. */
export async function serveShard(
  spec: JobSpec,
  place: { readonly index: number; readonly servers: number },
  bind: string,
  transport: TransportChoice,
): Promise<string> {
  const set = new ShardSet({ jobHash: jobHash(spec), generation: 1, spec, onFailed: () => {} });
  const kernels = createKernels();
  const range = partition(spec.layout.length, place.servers)[place.index];
  const length = range.end - range.begin;
  const slots = createOptimizer(spec.optimizer).slots.map(() => kernels.allocate(length));
  const parameters = kernels.allocate(length).fill(0.5);
  const shard = new Shard({
    range,
    spec,
    kernels,
    state: { parameters, slots, numbers: [], updates: 0, clocks: new Array<number>(spec.ranks).fill(0) },
    endStep: spec.steps,
    gatherSquares: (_, own) => Promise.resolve([own]),
    onStep: () => {},
    onNoise: () => {},
    onSnapshot: (snapshot) => snapshot.release(),
    onRejected: () => {},
    log: () => {},
  });
  set.add(place.index, { shard, checkpoints: undefined as unknown as ShardCheckpoints });
  const server = await RpcServer.listen(bind, { loaded: () => set, log: () => {} }, transport);
  return server.address;
}
