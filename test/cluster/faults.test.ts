import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';
import { childrenOf } from './childrenOf.ts';
import { jobFile, run, start, temporaryFolder, train } from './tributary.ts';

const long = ['--steps', '400', '--checkpoint-every', '50', '--lease-ms', '1000'];

/** Starts a training, kills one of its processes with kill -9 in the middle, and returns the summary. */
async function trainAndKill(role: 'worker' | 'server', flags = long): Promise<TrainSummary> {
  const running = start([
    'train',
    jobFile('blobs'),
    '--runs',
    temporaryFolder(),
    '--json',
    '--print-every',
    '1',
    ...flags,
  ]);
  await running.shows(/^step 120 /m);
  const victim = childrenOf(running.child.pid!).find((child) => child.role === role)!;
  process.kill(victim.pid, 'SIGKILL');
  const result = await running.ended;
  expect(result.stderr).toContain('was killed by SIGKILL');
  if (result.code !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout);
}

let undisturbed: string | undefined;
/** What all of these come to that train to the end. */
async function undisturbedHash(): Promise<string> {
  undisturbed ??= (await train([jobFile('blobs'), '--runs', temporaryFolder(), ...long])).parametersSha256;
  return undisturbed;
}

describe('kill -9', { timeout: 240_000 }, () => {
  test('of a worker: its ranks go to the others when their leases end, and the result is the same bits', async () => {
    const summary = await trainAndKill('worker');
    expect(summary.steps).toBe(400);
    expect(summary.parametersSha256).toBe(await undisturbedHash());
  });

  test('of a server: the shards are loaded anew from the newest checkpoint, and the result is the same bits', async () => {
    const summary = await trainAndKill('server');
    expect(summary.steps).toBe(400);
    expect(summary.parametersSha256).toBe(await undisturbedHash());
  });

  test('of a server whose successor, at the same address, is there long before its lease has run out', async () => {
    const summary = await trainAndKill('server', [...long, '--lease-ms', '5000']);
    expect(summary.parametersSha256).toBe(await undisturbedHash());
  });

  test('of the command itself: its processes leave, and --resume goes on to the same bits', async () => {
    const runs = temporaryFolder();
    const running = start(['train', jobFile('blobs'), '--runs', runs, '--print-every', '1', ...long]);
    await running.shows(/^step 120 /m);
    const children = childrenOf(running.child.pid!);
    expect(children.map((child) => child.role).sort()).toEqual(['server', 'server', 'worker', 'worker']);
    running.child.kill('SIGKILL');
    await running.ended;
    await expect
      .poll(() => children.filter((child) => existsSync(`/proc/${child.pid}`)), { timeout: 10_000 })
      .toEqual([]);
    // Once the leases have run out.
    await expect
      .poll(async () => (await run(['status', '--runs', runs])).stdout, { timeout: 20_000, interval: 500 })
      .toMatch(/state +interrupted: its processes are gone/);
    const summary = await train([jobFile('blobs'), '--runs', runs, '--resume', ...long]);
    expect(summary.parametersSha256).toBe(await undisturbedHash());
  });
});

test('Ctrl-C ends with a checkpoint, no process left, and 130; --resume goes on to the same bits', {
  timeout: 240_000,
}, async () => {
  const runs = temporaryFolder();
  const running = start(['train', jobFile('blobs'), '--runs', runs, '--print-every', '1', '--json', ...long]);
  await running.shows(/^step 60 /m);
  const children = childrenOf(running.child.pid!);
  running.child.kill('SIGINT');
  const result = await running.ended;
  expect(result.code).toBe(130);
  const stopped = JSON.parse(result.stdout);
  expect(stopped.state).toBe('stopped');
  expect(stopped.steps).toBeGreaterThan(60);
  expect(stopped.steps).toBeLessThan(400);
  expect(children.filter((child) => existsSync(`/proc/${child.pid}`))).toEqual([]);

  const resumed = await train([jobFile('blobs'), '--runs', runs, '--resume', ...long]);
  expect(resumed.run).toBe(stopped.run);
  expect(resumed.steps).toBe(400);
  expect(resumed.parametersSha256).toBe(await undisturbedHash());
});

test('a gradient that is not finite is rejected by rank, step and tensor, and the job stops after the limit with its parameters as they were', async () => {
  const runs = temporaryFolder();
  const result = await run(['train', jobFile('explodes'), '--runs', runs]);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/the gradient of rank \d at step \d is NaN in tensor "w", element 0/);
  expect(result.stderr.trim().split('\n').at(-1)).toMatch(/^error: the job failed: /);
  // The newest checkpoint is that of the last good step.
  const exported = await run(['export', '--runs', runs, '--to', join(runs, 'kept.safetensors')]);
  expect(exported.stderr).toBe('');
  expect(exported.code).toBe(0);
  const metrics = readFileSync(
    join(runs, readdirSync(runs).find((name) => name.startsWith('explodes'))!, 'metrics.jsonl'),
    'utf8',
  );
  expect(metrics).toContain('"kind":"rejected"');
});
