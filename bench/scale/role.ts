/** One process of `pnpm bench scale`: a server with a shard, or some of the workers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ParameterClient } from '@tributary/client/ParameterClient.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { partition } from '@tributary/core/partition/partition.ts';
import { benchSpec, serveShard } from './serveShard.ts';

export interface ScaleJob {
  readonly length: number;
  readonly optimizer: string;
  readonly workers: number;
  readonly servers: number;
  /** null is asynchronous. */
  readonly staleness: number | null;
}

export type ScaleRole = { readonly job: ScaleJob } & (
  | { readonly role: 'server'; readonly index: number }
  | {
      readonly role: 'workers';
      readonly addresses: readonly string[];
      /** One worker each. */
      readonly ranks: readonly number[];
      readonly computeMs: number;
    }
);

/** What a run came to, of the workers of one process. */
export interface WorkersResult {
  /** Push-pulls of each worker, in ms. */
  readonly ms: readonly number[][];
  readonly cpuMs: number;
}

const options = JSON.parse(process.argv[2]) as ScaleRole;
const { length, optimizer, workers, servers, staleness } = options.job;
const spec = benchSpec(length, optimizer, { ranks: workers, staleness });

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

if (options.role === 'server') {
  const address = await serveShard(spec, { index: options.index, servers }, '127.0.0.1:0', 'auto');
  process.on('message', () => process.send!({ cpuMs: cpuMs() }));
  process.send!({ address });
} else {
  const { addresses, ranks, computeMs } = options;
  const loops = ranks.map((rank) => startWorker(rank, addresses, computeMs));
  process.on('message', async ({ seconds }: { seconds: number }) => {
    for (const { ms } of loops) ms.length = 0;
    const before = cpuMs();
    await sleep(seconds * 1e3);
    process.send!({ ms: loops.map(({ ms }) => [...ms]), cpuMs: cpuMs() - before } satisfies WorkersResult);
  });
  await Promise.all(loops.map(({ ready }) => ready));
  process.send!({ ready: true });
}

/** Sleeps in place of computing, pushes and pulls, forever. `ready` once it has done so three times. */
function startWorker(rank: number, addresses: readonly string[], computeMs: number) {
  const ms: number[] = [];
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const shards = partition(length, addresses.length).map((range, index) => ({
    ...range,
    address: addresses[index],
  }));
  const client = new ParameterClient({ jobHash: jobHash(spec), generation: 1, shards });
  const gradient = new Float32Array(length).fill(1e-3);
  const parameters = new Float32Array(length);
  const run = async () => {
    for (let step = 0; ; step++) {
      await sleep(computeMs);
      const begin = performance.now();
      const head = {
        ranks: { begin: rank, end: rank + 1 },
        step,
        tokens: [1],
        weight: 1,
        loss: 1,
        squares: 0,
      };
      await client.push({ ...head, gradient });
      await client.pull(step + 1, parameters);
      ms.push(performance.now() - begin);
      if (step === 2) resolve();
    }
  };
  run().catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
  return { ms, ready };
}
