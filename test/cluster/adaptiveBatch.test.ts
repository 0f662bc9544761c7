import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { estimateNoise } from '@tributary/core/optimizer/gradientNoise.ts';
import { expect, test } from 'vitest';
import { childrenOf } from './childrenOf.ts';
import { jobFile, start, temporaryFolder, train } from './tributary.ts';

const job = jobFile('noisyMean');
const flags = ['--lease-ms', '1000'];

test('the batch grows as the noise scale does, to the same bits for any number of processes and after kill -9', {
  timeout: 240_000,
}, async () => {
  const runs = temporaryFolder();
  const one = await train([job, '--runs', runs, '--workers', '1', '--servers', '1', ...flags]);
  expect(one.batch).toEqual({ updates: expect.any(Number), examples: 48 });
  expect(one.batch!.updates).toBeLessThan(150);
  const metrics = readFileSync(join(dirname(one.checkpoint), 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): MetricEntry => JSON.parse(line));
  const noise = metrics.filter((entry) => entry.kind === 'noise');
  expect(noise.slice(0, 5).map(({ nextSteps }) => nextSteps)).toEqual([1, 1, 1, 1, 1]);
  expect(noise.at(-1)!.nextSteps).toBe(6);
  // The points lie evenly between -1 and 1 in 2500 directions: their variances add up to 2500 / 3.
  const mean = noise.reduce((sum, entry) => sum + estimateNoise(entry).noise, 0) / noise.length;
  expect(mean / (2500 / 3)).toBeGreaterThan(0.95);
  expect(mean / (2500 / 3)).toBeLessThan(1.05);

  const killed = temporaryFolder();
  const several = ['--workers', '3', '--servers', '2', '--print-every', '1'];
  const running = start(['train', job, '--runs', killed, ...several, ...flags]);
  await running.shows(/^step 71 /m);
  process.kill(childrenOf(running.child.pid!).find(({ role }) => role === 'server')!.pid, 'SIGKILL');
  await running.shows(/was killed by SIGKILL/);
  await running.shows(/^step 131 /m);
  running.child.kill('SIGKILL');
  await running.ended;
  const resumed = await train([
    ...[job, '--runs', killed, '--resume', '--workers', '1', '--servers', '3', ...flags],
  ]);
  expect(resumed.steps).toBe(300);
  expect(resumed.parametersSha256).toBe(one.parametersSha256);
});
