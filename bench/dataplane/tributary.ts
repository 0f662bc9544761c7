import { ParameterClient } from '@tributary/client/ParameterClient.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { benchSpec, serveShard } from '../scale/serveShard.ts';
import { placeOf } from './listen.ts';
import type { RoleOptions } from './variants.ts';

/* Tributary itself: one shard behind its endpoints, one rank in front of a ParameterClient. */

export function serve({ length, optimizer, unix, transport }: RoleOptions): Promise<string> {
  const place = placeOf(unix);
  const bind = 'path' in place ? `unix:${place.path}` : `${place.host}:${place.port}`;
  return serveShard(benchSpec(length, optimizer), { index: 0, servers: 1 }, bind, transport ?? 'auto');
}

export async function connect(options: RoleOptions) {
  const { length, optimizer, address, transport = 'auto' } = options;
  const client = new ParameterClient({
    jobHash: jobHash(benchSpec(length, optimizer)),
    generation: 1,
    shards: [{ begin: 0, end: length, address }],
    transport,
  });
  return async (gradient: Float32Array, parameters: Float32Array, step: number) => {
    const push = { ranks: { begin: 0, end: 1 }, step, tokens: [1], weight: 1, loss: 1, squares: 0, gradient };
    // As a worker does: the server answers the pull as soon as its step may begin.
    const pulled = client.pull(step + 1, parameters);
    const { outcome, reason } = await client.push(push);
    if (outcome !== 'applied') throw new Error(`${outcome}: ${reason}`);
    await pulled;
  };
}
