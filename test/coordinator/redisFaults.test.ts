import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Coordinator, Lease } from '@tributary/coordinator/Coordinator.ts';
import { newestValidCheckpoint } from '@tributary/coordinator/checkpoints/newestValidCheckpoint.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { Redis } from 'ioredis';
import { afterEach, expect, test, vi } from 'vitest';
import { pseudoRandomBytes, writeChunks } from '../support/exampleCheckpoint.ts';
import { exampleRecord, uniqueJobName } from '../support/exampleJob.ts';
import { freePort } from '../support/freePort.ts';
import { RedisProcess } from '../support/RedisProcess.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startRedis(...settings: string[]): Promise<RedisProcess> {
  const redis = await RedisProcess.start(settings);
  cleanups.push(() => redis.stop());
  return redis;
}

async function open(url: string, job = uniqueJobName()): Promise<Coordinator> {
  const coordinator = await openCoordinator(url, job);
  cleanups.push(() => coordinator.close());
  return coordinator;
}

/** Runs one command as an operator would. */
async function operate(redis: RedisProcess, command: string, ...rest: string[]): Promise<void> {
  const client = new Redis(redis.url);
  await client.call(command, ...rest);
  client.disconnect();
}

/** The last holder of the lease of the controller, with a placement, metrics and a checkpoint. */
async function fill(coordinator: Coordinator): Promise<Lease> {
  const fence = (await coordinator.acquireLease('controller', 'a', 60_000))!;
  await coordinator.createJob(exampleRecord());
  await coordinator.replacePlacement(placement(1), 0, fence);
  await coordinator.appendMetrics([event('before')]);
  const chunks = [pseudoRandomBytes(100_000), pseudoRandomBytes(50_000, 2)];
  await coordinator.checkpoints.commit(await writeChunks(coordinator.checkpoints, 'c', chunks), fence);
  return fence;
}

async function readAll(coordinator: Coordinator) {
  return {
    record: await coordinator.jobRecord(),
    placement: await coordinator.placement(),
    metrics: (await coordinator.readMetrics('', 100)).entries,
    checkpoint: await newestValidCheckpoint(coordinator.checkpoints),
    holders: (await coordinator.leases()).map(({ name, holder, token }) => ({ name, holder, token })),
  };
}

test('kill -9 of Redis and a restart: methods say UNAVAILABLE meanwhile, then all goes on by itself and nothing is lost', async () => {
  const redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
  const coordinator = await open(redis.url);
  const fence = await fill(coordinator);
  const runOut = (await coordinator.acquireLease('rank/0', 'worker', 1))!;
  const before = await readAll(coordinator);
  expect(before.checkpoint?.id).toBe('c');

  await redis.kill();
  const away = { code: 'UNAVAILABLE', message: expect.stringContaining(redis.url) };
  await expect(coordinator.placement()).rejects.toMatchObject(away);
  await expect(coordinator.renewLease(fence, 60_000)).rejects.toMatchObject(away);
  await expect(coordinator.checkpoints.list()).rejects.toMatchObject(away);

  await redis.begin();
  await expect.poll(() => coordinator.placement().catch(() => undefined), { timeout: 20_000 }).toBeDefined();
  await expect.poll(() => readAll(coordinator).catch(() => undefined), { timeout: 20_000 }).toEqual(before);
  expect(await coordinator.renewLease(fence, 60_000)).toBe('renewed');
  expect(await coordinator.renewLease(runOut, 60_000)).toBe('renewed');
  const next = (await coordinator.acquireLease('rank/1', 'worker', 60_000))!;
  expect(next.token).toBeGreaterThan(runOut.token);
});

test('a Redis that hangs is UNAVAILABLE, and in use again once it goes on', async () => {
  const redis = await startRedis();
  const coordinator = await open(redis.url);
  redis.signal('SIGSTOP');
  await expect(coordinator.jobRecord()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  redis.signal('SIGCONT');
  await expect
    .poll(() => coordinator.createJob(exampleRecord()).catch(() => 'away'), { timeout: 20_000 })
    .not.toBe('away');
  expect(await coordinator.jobRecord()).toEqual(exampleRecord());
});

test('a process that computes for longer than the deadline still gets its reply', async () => {
  const redis = await startRedis();
  const coordinator = await open(redis.url);
  await coordinator.createJob(exampleRecord());
  const reply = coordinator.jobRecord();
  // The command is on its way; then nothing else runs here until long after the deadline.
  await new Promise(setImmediate);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
  expect(await reply).toEqual(exampleRecord());
});

test('opening where no Redis listens is one clear error, without the password', async () => {
  const port = await freePort();
  const opening = openCoordinator(`redis://someone:secret@127.0.0.1:${port}/0`, 'job');
  await expect(opening).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `Redis at redis://someone@127.0.0.1:${port}/0 cannot be reached (connect ECONNREFUSED 127.0.0.1:${port})`,
    hint: 'Start it, or give its address: redis://HOST:PORT.',
  });
});

test('a missing or wrong password is UNAUTHENTICATED, the right one works and is not shown', async () => {
  const redis = await startRedis('--requirepass', 'secret');
  const address = `127.0.0.1:${redis.port}`;
  const refused = { code: 'UNAUTHENTICATED', message: `Redis at redis://${address} refuses the password` };
  await expect(openCoordinator(`redis://${address}`, 'job')).rejects.toMatchObject(refused);
  await expect(openCoordinator(`redis://:wrong@${address}`, 'job')).rejects.toMatchObject(refused);
  const coordinator = await open(`redis://:secret@${address}`);
  expect(coordinator.url).toBe(`redis://${address}`);
  expect(await coordinator.placement()).toBeUndefined();
});

test('a database that Redis does not have is INVALID_ARGUMENT, and another is not taken instead', async () => {
  const redis = await startRedis('--databases', '2');
  await expect(openCoordinator(`${redis.url}/7`, 'job')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `Redis at ${redis.url}/7 has no database of that number`,
  });
  await (await open(`${redis.url}/1`, 'job')).createJob(exampleRecord());
  expect(await (await open(`${redis.url}/0`, 'job')).jobRecord()).toBeUndefined();
});

test('a Redis without memory is RESOURCE_EXHAUSTED; what was saved is still there', async () => {
  const redis = await startRedis();
  const coordinator = await open(redis.url);
  await fill(coordinator);
  const before = await readAll(coordinator);
  await operate(redis, 'CONFIG', 'SET', 'maxmemory', '1');
  const exhausted = { code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining('maxmemory') };
  await expect(coordinator.checkpoints.putChunk('d', 0, new Uint8Array(9))).rejects.toMatchObject(exhausted);
  await expect(coordinator.appendMetrics([event('x')], { writer: 'a', sequence: 1 })).rejects.toMatchObject(
    exhausted,
  );
  expect(await readAll(coordinator)).toEqual(before);
  await operate(redis, 'CONFIG', 'SET', 'maxmemory', '0');
  await coordinator.appendMetrics([event('x')], { writer: 'a', sequence: 1 });
  expect((await readAll(coordinator)).metrics).toEqual([event('before'), event('x')]);
});

test('a Redis that cannot write to its disk is RESOURCE_EXHAUSTED', async () => {
  const redis = await startRedis('--save', '3600 1');
  const coordinator = await open(redis.url);
  await fill(coordinator);
  // A folder that is not empty stands where the snapshot goes, so that writing it fails for any user.
  await mkdir(join(redis.folder, 'dump.rdb', 'inside'), { recursive: true });
  await operate(redis, 'BGSAVE');
  await vi.waitFor(
    () =>
      expect(coordinator.appendMetrics([event('x')])).rejects.toMatchObject({
        code: 'RESOURCE_EXHAUSTED',
        message: expect.stringContaining('cannot write to its disk'),
      }),
    { timeout: 20_000 },
  );
});

test('a read-only replica is FAILED_PRECONDITION', async () => {
  const redis = await startRedis();
  await operate(redis, 'REPLICAOF', '127.0.0.1', String(await freePort()));
  const coordinator = await open(redis.url);
  await expect(coordinator.createJob(exampleRecord())).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('read-only replica'),
  });
});

function placement(epoch: number) {
  return { epoch, generation: 1, checkpoint: 'c', shards: [], ranks: ['worker'] };
}

function event(message: string) {
  return { kind: 'event', level: 'info', source: 'test', message, timeMs: 0 } as const;
}
