import type { Coordinator, Lease, Member } from '@tributary/coordinator/Coordinator.ts';
import { Heartbeat } from '@tributary/coordinator/Heartbeat.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { uniqueJobName } from '../support/exampleJob.ts';
import { ManualSchedule } from '../support/ManualSchedule.ts';
import { RedisProcess } from '../support/RedisProcess.ts';

const longMs = 600_000;
const member: Member = { id: 'worker-a', role: 'worker', address: '', startedAtMs: 0 };

let coordinator: Coordinator;
let timers: ManualSchedule;
let heartbeat: Heartbeat;
let told: string[];

beforeEach(async () => {
  coordinator = await openCoordinator(inject('redisUrl'), uniqueJobName());
  timers = new ManualSchedule();
  ({ heartbeat, told } = createHeartbeat(coordinator, longMs, timers));
});

afterEach(() => coordinator.close());

function createHeartbeat(of: Coordinator, ttlMs: number, by?: ManualSchedule) {
  const told: string[] = [];
  const heartbeat = new Heartbeat({
    coordinator: of,
    member,
    ttlMs,
    onLost: ({ name }) => told.push(`lost ${name}`),
    onUnavailable: ({ code }) => told.push(code),
    onRecovered: () => told.push('recovered'),
    ...(by && { schedule: by.schedule }),
  });
  return { heartbeat, told };
}

async function take(name: string, ttlMs = longMs, holder = member.id): Promise<Lease> {
  return (await coordinator.acquireLease(name, holder, ttlMs))!;
}

/** A Redis of the test's own, and its coordinator. */
async function startOwn(...settings: string[]): Promise<{ redis: RedisProcess; own: Coordinator }> {
  const redis = await RedisProcess.start(settings);
  onTestFinished(() => redis.stop());
  const own = await openCoordinator(redis.url, uniqueJobName());
  onTestFinished(() => own.close());
  return { redis, own };
}

/** The time left of a lease, ms. */
async function remainingMs(name: string): Promise<number | undefined> {
  return (await coordinator.leases()).find((lease) => lease.name === name)?.remainingMs;
}

/** Fires the timer until what it begins is done. */
async function beat(): Promise<void> {
  await timers.fire();
  await expect.poll(() => timers.delaysMs).toHaveLength(1);
}

test('joins, beats so many times within a lease, and leaves', async () => {
  await heartbeat.start();
  expect(await coordinator.members()).toEqual([member]);
  expect(timers.delaysMs).toEqual([longMs / limits.heartbeatsPerLease]);
  await coordinator.leave(member.id);
  await beat();
  expect(await coordinator.members()).toEqual([member]);
  await heartbeat.stop();
  expect(await coordinator.members()).toEqual([]);
  expect(timers.delaysMs).toEqual([]);
  expect(told).toEqual([]);
});

test('renews the leases that were added, also run out, and no longer those that were removed', async () => {
  await heartbeat.start();
  heartbeat.add(await take('rank/0', 1));
  heartbeat.add(await take('rank/1', 1));
  await beat();
  expect(await remainingMs('rank/0')).toBeGreaterThan(0);
  expect(await remainingMs('rank/1')).toBeGreaterThan(0);
  await heartbeat.remove('rank/0');
  expect(await remainingMs('rank/0')).toBeUndefined();
  await beat();
  expect(await remainingMs('rank/0')).toBeUndefined();
  expect(told).toEqual([]);
  await heartbeat.remove('never added');
  await heartbeat.stop();
  expect(await coordinator.leases()).toEqual([]);
});

test('tells once of a lease that another took, and leaves it to the other', async () => {
  await heartbeat.start();
  const mine = await take('rank/0');
  heartbeat.add(mine);
  heartbeat.add(await take('rank/1'));
  await coordinator.releaseLease(mine);
  const other = await take('rank/0', longMs, 'worker-b');
  await beat();
  await beat();
  expect(told).toEqual(['lost rank/0']);
  await heartbeat.stop();
  expect(await coordinator.leases()).toMatchObject([other]);
});

test('a lease taken anew while the loss of the old one was on its way is not lost', async () => {
  await heartbeat.start();
  const old = await take('rank/0');
  heartbeat.add(old);
  await coordinator.releaseLease(old);
  const anew = await take('rank/0');
  const firing = timers.fire();
  heartbeat.add(anew);
  await firing;
  await expect.poll(() => timers.delaysMs).toHaveLength(1);
  await beat();
  expect(told).toEqual([]);
  expect(await coordinator.renewLease(anew, longMs)).toBe('renewed');
  await heartbeat.stop();
});

test('a Redis that is away for longer than the lease costs nothing, and is told once each way', async () => {
  const ttlMs = 300;
  const { redis, own } = await startOwn('--appendonly', 'yes', '--appendfsync', 'always');
  const { heartbeat, told } = createHeartbeat(own, ttlMs);
  await heartbeat.start();
  const lease = (await own.acquireLease('rank/0', member.id, ttlMs))!;
  heartbeat.add(lease);
  await redis.kill();
  await expect.poll(() => told, { timeout: 20_000 }).toEqual(['UNAVAILABLE']);
  const awayUntil = Date.now() + 2 * ttlMs;
  await expect.poll(() => Date.now(), { timeout: 20_000 }).toBeGreaterThan(awayUntil);
  await redis.begin();
  await expect.poll(() => told, { timeout: 20_000 }).toEqual(['UNAVAILABLE', 'recovered']);
  expect(await own.renewLease(lease, ttlMs)).toBe('renewed');
  expect((await own.members()).map(({ id }) => id)).toEqual([member.id]);
  await heartbeat.stop();
});

test('stopping while the coordinator is away ends', async () => {
  const { redis, own } = await startOwn();
  const { heartbeat, told } = createHeartbeat(own, longMs);
  await heartbeat.start();
  heartbeat.add((await own.acquireLease('rank/0', member.id, longMs))!);
  await redis.kill();
  await heartbeat.stop();
  expect(told).toEqual([]);
});

test('starting while the coordinator is away fails', async () => {
  const { redis, own } = await startOwn();
  await redis.kill();
  const { heartbeat } = createHeartbeat(own, longMs);
  await expect(heartbeat.start()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
