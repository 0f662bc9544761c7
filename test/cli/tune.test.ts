import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobFile, run, temporaryFolder } from '../cluster/tributary.ts';

/* Real trainings of a small classifier of three clouds of points. */

const job = jobFile('blobs');
const small = ['--workers', '1', '--servers', '1', '--no-self-check', '--json'];

test('without --search: a learning rate and a batch size', { timeout: 180_000 }, async () => {
  const runs = temporaryFolder();
  const result = await run(['tune', job, '--runs', runs, '--rate-steps', '60', '--rate-to', '100', ...small]);
  expect(result.code, result.stderr).toBe(0);
  const found = JSON.parse(result.stdout);
  expect(result.stdout).toBe(`${JSON.stringify(found)}\n`);
  // Adam at more than 1 or less than 1e-5 does nothing good for a small network.
  expect(found.learningRate).toBeGreaterThan(1e-5);
  expect(found.learningRate).toBeLessThan(1);
  expect(found.edge).toBeGreaterThan(found.learningRate);
  expect(found.noiseScale).toBeGreaterThan(0);
  expect(readdirSync(found.folder).sort()).toEqual(['learning-rate', 'noise', 'report.html', 'tune.json']);
  const report = readFileSync(join(found.folder, 'report.html'), 'utf8');
  expect(report.match(/<svg /g)).toHaveLength(1);
  expect(report).not.toMatch(/<script|<link|src=|https?:|url\((?!#)/);
});

test('successive halving: the better third goes on from where it was', { timeout: 240_000 }, async () => {
  const runs = temporaryFolder();
  const space = 'learningRate=1e-5|1e-2|3e-2,method=adam';
  const flags = ['--search', space, '--trials', '3', '--passes', '6', '--passes-min', '2', '--parallel', '2'];
  const result = await run(['tune', job, '--runs', runs, ...flags, ...small]);
  expect(result.code, result.stderr).toBe(0);
  const { rungs, trials, folder } = JSON.parse(result.stdout);
  expect(rungs).toEqual([
    { passes: 2, contenders: 3 },
    { passes: 6, contenders: 1 },
  ]);
  expect(trials.map(({ rungs: done }: { rungs: number }) => done)).toEqual([2, 1, 1]);
  expect(trials[0].point.learningRate).toBeGreaterThan(1e-3);
  expect(trials[2].point.learningRate).toBe(1e-5);
  expect(trials[0].loss).toBeLessThan(trials[1].loss);
  // Eight steps a pass: it began again at step 16, not at 0.
  const metrics = readFileSync(join(folder, `trial-${trials[0].number}`, 'metrics.jsonl'), 'utf8');
  const steps = metrics
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'step')
    .map(({ step }) => step);
  expect(steps).toEqual(Array.from({ length: 48 }, (_, step) => step));
});

test.each([
  [['--search', 'learningrate=1|2'], /there is no "learningrate" to search\. Did you mean "learningRate"\?/],
  [['--search', 'learningRate=-1|1'], /optimizer "adam": learningRate is -1\. It must be above 0/],
  [['--search', 'method=adm'], /there is no optimizer "adm"\. Did you mean "adam"\?/],
  [['--rate-from', '1', '--rate-to', '0.1'], /--rate-from is 1, --rate-to 0\.1\. The rate grows/],
  [['--search', 'batchSize=1|2', '--rate-to', '1'], /cannot be used with option/],
  [['--eta', '1'], /whole number, 2 or more/],
  [['--trials', '1e6'], /1000 at most/],
])('tune refuses %j', async (flags, says) => {
  const { code, stdout, stderr } = await run(['tune', job, ...flags]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(says);
});

test('a method without a learning rate has none to find', async () => {
  const { code, stderr } = await run(['tune', jobFile('newtonLogistic')]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/newton has no learning rate to find\. Search its options with --search/);
});
