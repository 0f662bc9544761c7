import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { readAllMetrics } from '@tributary/coordinator/readAllMetrics.ts';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { RedisProcess } from '../support/RedisProcess.ts';
import { jobFile, type Running, run, start, temporaryFolder, train } from './tributary.ts';

/* All of these train the same numbers, however long they take over it; the run over SQLite says to which bits. */

const file = jobFile('paced');
// Enough that a worker can join and another leave before the end, on a machine that has other things to do too.
const steps = ['--steps', '400', '--checkpoint-every', '50'];
const lease = ['--lease-ms', '1000'];

let overSqlite: string | undefined;
async function expected(): Promise<string> {
  overSqlite ??= (await train([jobFile('blobs'), '--runs', temporaryFolder(), ...steps])).parametersSha256;
  return overSqlite;
}

/** Processes started by hand around one Redis and one name of a job. */
function cluster(url: string) {
  const job = `test-${randomUUID()}`;
  const at = ['--coordinator', url, '--job', job];
  const status = async () => {
    const result = await run(['status', ...at, '--json']);
    expect(result.code, result.stderr).toBe(0);
    return JSON.parse(result.stdout);
  };
  return {
    at,
    status,
    controller: (workers: number) =>
      start(['controller', file, ...at, ...steps, ...lease, '--servers', '2', '--workers', `${workers}`]),
    server: () => start(['server', ...at, ...lease, '--bind', '127.0.0.1:0']),
    worker: () => start(['worker', file, ...at, ...lease]),
    /** Waits until a step is done, and returns the status. Looks for itself: a process for each look would take a core from those that train. */
    async reaches(step: number) {
      const coordinator = await openCoordinator(url, job);
      let cursor = '';
      for (let done = -1; done < step; await sleep(50)) {
        cursor = await readAllMetrics(coordinator, cursor, (entry) => {
          if (entry.kind === 'step') done = Math.max(done, entry.step);
        });
      }
      await coordinator.close();
      return status();
    },
    /** Waits until so many workers have ranks. */
    async workersAre(count: number) {
      const coordinator = await openCoordinator(url, job);
      const workers = async () => new Set((await coordinator.placement())?.ranks).size;
      await expect.poll(workers, { timeout: 20_000 }).toBe(count);
      await coordinator.close();
    },
    /** The hash of the newest checkpoint. */
    async parametersSha256() {
      const result = await run(['evaluate', file, ...at, '--json']);
      expect(result.code, result.stderr).toBe(0);
      return JSON.parse(result.stdout).parametersSha256;
    },
  };
}

async function endWell(...processes: Running[]): Promise<void> {
  for (const process of processes) {
    const result = await process.ended;
    expect(result.code, result.stderr).toBe(0);
  }
}

/** Servers stay when the job has ended, for one that goes on with it; they leave when they are told to. */
async function leave(servers: Running[]): Promise<void> {
  for (const server of servers) server.child.kill('SIGTERM');
  await endWell(...servers);
}

test('train --coordinator redis://… comes to the same bits as over SQLite', { timeout: 60_000 }, async () => {
  const name = `test-${randomUUID()}`;
  const at = ['--coordinator', inject('redisUrl'), '--job', name];
  const summary = await train([jobFile('blobs'), '--runs', temporaryFolder(), ...at, ...steps, ...lease]);
  expect(summary.coordinator).toBe(inject('redisUrl'));
  expect(summary.parametersSha256).toBe(await expected());

  const again = await run(['train', jobFile('blobs'), '--runs', temporaryFolder(), ...at, ...steps]);
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(
    /^error: job "test-.*" exists already at redis:.* \(finished\)\. Go on with it/,
  );
});

describe('a cluster started by hand', { timeout: 120_000 }, () => {
  test('workers wait for the job, one joins and one leaves in the middle, and the result is the same bits', async () => {
    const { controller, server, worker, at, status, reaches, workersAre, parametersSha256 } = cluster(
      inject('redisUrl'),
    );
    const early = [worker(), worker()];
    await Promise.all(early.map((process) => process.shows('info: waiting for the job')));
    const servers = [server(), server()];
    const elected = controller(2);

    const state = await reaches(20);
    expect(state.state).toBe('running');
    const roles = state.members.map((member: { role: string }) => member.role).sort();
    expect(roles).toEqual(['controller', 'server', 'server', 'worker', 'worker']);
    expect(state.placement.shards).toHaveLength(2);
    expect(new Set(state.placement.ranks).size).toBe(2);
    const text = (await run(['status', ...at])).stdout;
    expect(text).toMatch(/^ {2}state +running$/m);
    expect(text).toMatch(/^ {2}progress +step \d+\/400, loss \d/m);
    expect(text).toMatch(/^ {2}shard +1: \[3072, 5123\) at 127\.0\.0\.1:\d+$/m);
    expect(text).toMatch(/^ {2}ranks +0 1 2 3: worker-/m);

    const late = worker();
    await workersAre(3);
    early[0].child.kill('SIGTERM');
    await endWell(early[0]);
    await workersAre(2);
    expect((await status()).state).toBe('running');

    await endWell(elected, early[1], late);
    expect((await status()).state).toBe('finished');
    await leave(servers);
    expect(await parametersSha256()).toBe(await expected());
  });

  test('a controller killed with kill -9 and started again takes over, and the result is the same bits', async () => {
    const { controller, server, worker, reaches, status, parametersSha256 } = cluster(inject('redisUrl'));
    const servers = [server(), server()];
    const last = worker();
    const killed = controller(1);
    const before = await reaches(20);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const successor = controller(1);
    await endWell(successor, last);
    await leave(servers);
    const after = await status();
    expect(after.state).toBe('finished');
    // It found the cluster as it was: nothing was placed anew.
    expect(after.placement).toEqual(before.placement);
    expect(await parametersSha256()).toBe(await expected());
  });
});

test('while Redis is killed and away, steps go on closing; when it is back, nothing is lost and the result is the same bits', {
  timeout: 120_000,
}, async () => {
  const redis = await RedisProcess.start(['--appendonly', 'yes']);
  onTestFinished(() => redis.stop());
  const folder = temporaryFolder();
  const running = start([
    ...['train', file, '--runs', folder, '--json', '--print-every', '1'],
    ...['--coordinator', redis.url, ...steps, ...lease],
  ]);
  await running.shows(/^step 20 /m);
  const killedAtMs = Date.now();
  await redis.kill();
  // Longer than the leases, so that everybody seems gone when it is back.
  await sleep(2500);
  const backAtMs = Date.now();
  await redis.begin();

  const result = await running.ended;
  expect(result.code, result.stderr).toBe(0);
  expect(result.stderr).toContain('the coordinator cannot be reached, going on without it');
  // No shard had to go back to a checkpoint.
  expect(result.stderr).not.toContain('a server is gone');
  const summary = JSON.parse(result.stdout);
  expect(summary.parametersSha256).toBe(await expected());

  const metrics = readFileSync(join(folder, summary.run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricEntry)
    .filter((entry) => entry.kind === 'step');
  expect(metrics.map((entry) => entry.step)).toEqual(Array.from({ length: 400 }, (_, step) => step));
  const closedMeanwhile = metrics.filter(
    (entry) => entry.timeMs > killedAtMs + 500 && entry.timeMs < backAtMs,
  );
  expect(closedMeanwhile.length).toBeGreaterThan(1);
});
