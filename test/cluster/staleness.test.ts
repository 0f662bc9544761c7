import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { describe, expect, test } from 'vitest';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';
import { childrenOf } from './childrenOf.ts';
import { traceOf } from './traceOf.ts';
import { jobFile, run, start, temporaryFolder, train } from './tributary.ts';

const ranks = 8;

/** The steps of a run, one entry per push in these modes, as its metrics.jsonl has them. */
function stepsOf(folder: string, { run }: TrainSummary) {
  return readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricEntry)
    .filter((entry) => entry.kind === 'step');
}

/** Trains while one of the two workers is stopped for some time, and returns by how much a push was behind at most. */
async function greatestLead(staleness: string, job = 'paced'): Promise<number> {
  const folder = temporaryFolder();
  const running = start([
    ...['train', jobFile(job), '--runs', folder, '--json', '--print-every', '1'],
    // The stopped worker is not to be taken for dead.
    ...['--steps', '50', '--staleness', staleness, '--lease-ms', '60000'],
  ]);
  await running.shows(/^step 5 /m);
  const worker = childrenOf(running.child.pid!).find(({ role }) => role === 'worker')!;
  process.kill(worker.pid, 'SIGSTOP');
  // Without a bound the others go to their end. With one they wait, and show nothing: a second is much for 5 ms a gradient.
  if (staleness === 'infinity') await running.shows(/^step 45 /m);
  else await sleep(1000);
  process.kill(worker.pid, 'SIGCONT');
  const result = await running.ended;
  expect(result.code, result.stderr).toBe(0);
  const steps = stepsOf(folder, JSON.parse(result.stdout));
  // Every rank did every step, once.
  const counts = new Map<number, number>();
  for (const { step } of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
  expect([...counts.values()]).toEqual(new Array(50).fill(ranks));
  return Math.max(...steps.map((entry) => entry.staleness));
}

test('synchronous, bounded and asynchronous training all come to a high accuracy', {
  timeout: 60_000,
}, async () => {
  const summaries = await Promise.all(
    ['0', '2', 'infinity'].map((staleness) =>
      train([jobFile('blobs'), '--runs', temporaryFolder(), '--staleness', staleness]),
    ),
  );
  expect(summaries.map((summary) => summary.staleness)).toEqual([0, 2, 'infinity']);
  for (const summary of summaries) expect(summary.accuracy).toBeGreaterThan(0.97);
});

// What a correction is, and where it explodes, is held to the equation in test/server/asynchronous.test.ts: here the lateness depends on who comes first.
test('late gradients are corrected as they come, and training converges', {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder();
  const trace = join(folder, 'trace.json');
  const flags = [jobFile('late'), '--runs', folder, '--no-self-check'];
  const summary = await train([...flags, '--trace', trace]);
  expect(summary.accuracy).toBeGreaterThan(0.97);
  // Each server corrects for itself, and two workers are always in each other's way: many gradients are late.
  const corrected = traceOf(trace).filter(({ name }) => name === 'correct');
  expect(new Set(corrected.map(({ process }) => process)).size).toBe(2);
  expect(corrected.length).toBeGreaterThan((2 * ranks * summary.steps) / 10);
});

test('workers that pull ahead do every step of every rank, and a worker that is killed is replaced', {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder();
  const running = start([
    ...['train', jobFile('pullingAhead'), '--runs', folder, '--json', '--print-every', '1'],
    ...['--encoding', 'int8', '--steps', '100', '--lease-ms', '1000'],
  ]);
  await running.shows(/^step 20 /m);
  const victim = childrenOf(running.child.pid!).find(({ role }) => role === 'worker')!;
  process.kill(victim.pid, 'SIGKILL');
  const result = await running.ended;
  expect(result.code, result.stderr).toBe(0);
  const summary = JSON.parse(result.stdout) as TrainSummary;
  expect(summary.accuracy).toBeGreaterThan(0.97);
  const counts = new Map<number, number>();
  for (const { step } of stepsOf(folder, summary)) counts.set(step, (counts.get(step) ?? 0) + 1);
  expect([...counts.values()]).toEqual(new Array(100).fill(ranks));
});

describe('a rank that is slow', { timeout: 60_000 }, () => {
  test('holds up the others at the bound', async () => {
    const lead = await greatestLead('2');
    // A rank may begin a step 2 ahead of the slowest; having ended it, it is 3 ahead, and that the slow one then sees.
    expect(lead).toBeGreaterThan(0);
    expect(lead).toBeLessThanOrEqual(3);
  });

  test('holds up nobody without a bound', async () => {
    expect(await greatestLead('infinity')).toBeGreaterThan(20);
  });

  test('holds up the others at the bound also when they pull ahead', async () => {
    const lead = await greatestLead('2', 'pullingAhead');
    expect(lead).toBeGreaterThan(0);
    expect(lead).toBeLessThanOrEqual(3);
  });
});

test('the asynchronous mode goes on from a checkpoint, each rank from where it was', {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder();
  const flags = ['--runs', folder, '--staleness', 'infinity', '--steps', '100', '--checkpoint-every', '20'];
  const running = start(['train', jobFile('paced'), ...flags, '--json', '--print-every', '1']);
  await running.shows(/^step 30 /m);
  running.child.kill('SIGINT');
  const result = await running.ended;
  expect(result.code, result.stderr).toBe(130);
  const stopped = JSON.parse(result.stdout) as TrainSummary;
  expect(stopped.steps).toBeGreaterThanOrEqual(30);
  expect(stopped.steps).toBeLessThan(100);

  const before = stepsOf(folder, stopped).length;
  const resumed = await train([jobFile('paced'), ...flags, '--resume']);
  expect(resumed.run).toBe(stopped.run);
  expect(resumed.steps).toBe(100);
  expect(resumed.accuracy).toBeGreaterThan(0.97);
  const after = stepsOf(folder, resumed).slice(before);
  expect(Math.min(...after.map((entry) => entry.step))).toBe(stopped.steps);
  expect(after).toHaveLength((100 - stopped.steps) * ranks);
  const same = await run(['evaluate', jobFile('paced'), '--runs', folder, '--json']);
  expect(JSON.parse(same.stdout).parametersSha256).toBe(resumed.parametersSha256);
});
