import { ParameterClient } from '@tributary/client/ParameterClient.ts';
import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { ErrorFeedback } from '@tributary/worker/training/ErrorFeedback.ts';
import { benchSpec, serveShard } from '../scale/serveShard.ts';
import { placeOf } from './listen.ts';
import type { RoleOptions } from './variants.ts';

/* Tributary itself: one shard behind its endpoints, one rank in front of a ParameterClient. */

function specOf({ length, optimizer, encoding }: RoleOptions) {
  if (encoding === undefined) return benchSpec(length, optimizer);
  return benchSpec(length, optimizer, { encoding: [{ begin: 0, end: length, codec: { name: encoding } }] });
}

export function serve(options: RoleOptions): Promise<string> {
  const place = placeOf(options.unix);
  const bind = 'path' in place ? `unix:${place.path}` : `${place.host}:${place.port}`;
  return serveShard(specOf(options), { index: 0, servers: 1 }, bind, options.transport ?? 'auto');
}

export async function connect(options: RoleOptions) {
  const { length, address, transport = 'auto', encoding = 'f32' } = options;
  const spec = specOf(options);
  const kernels = createKernels();
  const client = new ParameterClient({
    jobHash: jobHash(spec),
    generation: 1,
    shards: [{ begin: 0, end: length, address }],
    transport,
    pullEncoding: encoding,
    kernels,
  });
  const encode = encoding === 'f32' ? undefined : encoderOf(spec, kernels);
  // What has to be decoded lies where the kernels are fast, in a worker too.
  const decoded = encode && kernels.allocate(length);
  return async (gradient: Float32Array, parameters: Float32Array, step: number) => {
    const sent = encode?.(gradient, step) ?? gradient;
    const push = { ranks: { begin: 0, end: 1 }, step, tokens: [1], weight: 1, loss: 1, squares: 0 };
    // As a worker does: the server answers the pull as soon as its step may begin.
    const pulled = client.pull(step + 1, decoded ?? parameters);
    const { outcome, reason } = await client.push({ ...push, gradient: sent });
    if (outcome !== 'applied') throw new Error(`${outcome}: ${reason}`);
    await pulled;
  };
}

/** What a worker does with a gradient: adds what is owed, and encodes it while it is sent. The copy stands for the thread that computes. */
function encoderOf(spec: JobSpec, kernels: VectorKernels) {
  const feedback = new ErrorFeedback(new JobEncoding(spec), spec.layout.length, kernels);
  const work = kernels.allocate(feedback.workLength);
  let before: ReturnType<typeof feedback.encode> | undefined;
  return (gradient: Float32Array, step: number) => {
    if (before !== undefined) feedback.arrived(before);
    work.set(gradient);
    before = feedback.encode({ rank: 0, token: 1, step, work });
    return before.gradient;
  };
}
