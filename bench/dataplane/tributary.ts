import { ParameterClient } from '@tributary/client/ParameterClient.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import type { ShardCheckpoints } from '@tributary/server/checkpoint/ShardCheckpoints.ts';
import { RpcServer } from '@tributary/server/rpc/RpcServer.ts';
import { Shard } from '@tributary/server/shard/Shard.ts';
import { ShardSet } from '@tributary/server/shard/ShardSet.ts';
import { placeOf } from './listen.ts';
import type { RoleOptions } from './variants.ts';

/* Tributary itself: one shard behind its endpoints, one rank in front of a ParameterClient. */

function specOf({ length, optimizer }: RoleOptions): JobSpec {
  return {
    name: 'dataplane',
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
  };
}

export async function serve(options: RoleOptions): Promise<string> {
  const { length, unix, transport = 'auto' } = options;
  const spec = specOf(options);
  const set = new ShardSet({ jobHash: jobHash(spec), generation: 1, spec, onFailed: () => {} });
  const kernels = createKernels();
  const slots = createOptimizer(spec.optimizer).slots.map(() => kernels.allocate(length));
  const shard = new Shard({
    range: { begin: 0, end: length },
    spec,
    kernels,
    state: { parameters: kernels.allocate(length).fill(0.5), slots, numbers: [], updates: 0, clocks: [0] },
    endStep: spec.steps,
    gatherSquares: (_, own) => Promise.resolve([own]),
    onStep: () => {},
    onSnapshot: (snapshot) => snapshot.release(),
    onRejected: () => {},
    log: () => {},
  });
  set.add(0, { shard, checkpoints: undefined as unknown as ShardCheckpoints });
  const place = placeOf(unix);
  const bind = 'path' in place ? `unix:${place.path}` : `${place.host}:${place.port}`;
  const server = await RpcServer.listen(bind, { loaded: () => set, log: () => {} }, transport);
  return server.address;
}

export async function connect(options: RoleOptions) {
  const spec = specOf(options);
  const { length, address, transport = 'auto' } = options;
  const client = new ParameterClient({
    jobHash: jobHash(spec),
    generation: 1,
    shards: [{ begin: 0, end: length, address }],
    transport,
  });
  return async (gradient: Float32Array, parameters: Float32Array, step: number) => {
    const push = { ranks: { begin: 0, end: 1 }, step, tokens: [1], weight: 1, loss: 1, squares: 0, gradient };
    const { outcome, reason } = await client.push(push);
    if (outcome !== 'applied') throw new Error(`${outcome}: ${reason}`);
    await client.pull(step + 1, parameters);
  };
}
