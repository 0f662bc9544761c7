import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childrenOf } from './childrenOf.ts';
import { jobFile, type Running, run, start, temporaryFolder } from './tributary.ts';

/* Trials of `tune` and `compare` are jobs that the processes of one cluster take one after the other. */

/** A search over learning rates in this order, one by one, on two servers and two workers. */
const searching = (job: string, rates: string, runs: string) => [
  ...['tune', jobFile(job), '--search', `learningRate=${rates}`, '--passes', '3', '--passes-min', '3'],
  ...['--lease-ms', '1000', '--no-self-check', '--runs', runs, '--json'],
];

interface Trial {
  readonly number: number;
  readonly failure: string;
  readonly loss: number | null;
}

/** In the order in which they were trained. */
function trialsOf(stdout: string): { folder: string; trials: Trial[] } {
  const { folder, trials } = JSON.parse(stdout) as { folder: string; trials: Trial[] };
  return { folder, trials: trials.sort((a, b) => a.number - b.number) };
}

const hashOf = (folder: string, trial: string): string =>
  JSON.parse(readFileSync(join(folder, trial, 'summary.json'), 'utf8')).parametersSha256;

/** Of the servers and workers that said what they used: role, host and process id, in order. */
function processesOf(folder: string, trial: string): string[] {
  const lines = readFileSync(join(folder, trial, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  const members = lines
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'usage')
    .map(({ member }) => member.replace(/-[0-9a-f]+$/, ''));
  return [...new Set<string>(members)].sort();
}

const rolesOf = (processes: readonly string[]) => processes.map((name) => name.split('-')[0]);

/** Resolves when steps of the trial are made: it lies in the one folder in `runs`. */
async function isTraining(runs: string, trial: string): Promise<void> {
  const metrics = () => {
    const [folder] = readdirSync(runs);
    const file = join(runs, folder ?? '', trial, 'metrics.jsonl');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  await expect.poll(metrics, { timeout: 60_000, interval: 20 }).toContain('"kind":"step"');
}

const childOf = (running: Running, role: string) =>
  childrenOf(running.child.pid!).find((child) => child.role === role);

test('the same trial is the same bits on the same processes, whatever came in between', {
  timeout: 120_000,
}, async () => {
  const { code, stdout, stderr } = await run(searching('blobs', '1e-2|3e-2|1e30|1e-2', temporaryFolder()));
  expect(code, stderr).toBe(0);
  const { folder, trials } = trialsOf(stdout);
  expect(trials.map(({ failure }) => failure === '')).toEqual([true, true, false, true]);
  const processes = processesOf(folder, 'trial-1');
  expect(rolesOf(processes)).toEqual(['server', 'server', 'worker', 'worker']);
  expect(processesOf(folder, 'trial-2')).toEqual(processes);
  expect(processesOf(folder, 'trial-4')).toEqual(processes);
  expect(hashOf(folder, 'trial-4')).toBe(hashOf(folder, 'trial-1'));
  expect(hashOf(folder, 'trial-2')).not.toBe(hashOf(folder, 'trial-1'));
});

test('kill -9 of a server, then of a worker, in the middle of trials: each ends with the same bits, and the search goes on', {
  timeout: 180_000,
}, async () => {
  const runs = temporaryFolder();
  const running = start(searching('paced', '1e-2|1e-2|1e-2', runs));
  for (const [trial, role] of [
    ['trial-1', 'server'],
    ['trial-2', 'worker'],
  ]) {
    await isTraining(runs, trial);
    process.kill(childOf(running, role)!.pid, 'SIGKILL');
  }
  const { code, stdout, stderr } = await running.ended;
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/trial-1: server \d: was killed by SIGKILL; started anew/);
  expect(stderr).toMatch(/trial-2: worker \d: was killed by SIGKILL; started anew/);
  const { folder, trials } = trialsOf(stdout);
  expect(trials.map(({ failure }) => failure)).toEqual(['', '', '']);
  const hashes = ['trial-1', 'trial-2', 'trial-3'].map((trial) => hashOf(folder, trial));
  expect(new Set(hashes).size).toBe(1);
});

test('a trial whose processes do not stay alive fails alone, and the next has new ones', {
  timeout: 180_000,
}, async () => {
  const runs = temporaryFolder();
  const running = start(searching('paced', '1e-2|1e-2|1e-2', runs));
  await isTraining(runs, 'trial-2');
  while (!/trial 2 .*ABORTED|trial 2 .*killed/.test(running.output.stderr)) {
    const worker = childOf(running, 'worker');
    if (worker !== undefined) process.kill(worker.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { code, stdout, stderr } = await running.ended;
  expect(code, stderr).toBe(0);
  const { folder, trials } = trialsOf(stdout);
  expect(trials[1].failure).toMatch(/worker \d was killed by SIGKILL/);
  expect(trials[2].failure).toBe('');
  expect(hashOf(folder, 'trial-3')).toBe(hashOf(folder, 'trial-1'));
});

test('Ctrl-C in the second trial: the first is reported, and no process is left', {
  timeout: 120_000,
}, async () => {
  const runs = temporaryFolder();
  const running = start(searching('paced', '1e-2|2e-2|3e-2', runs));
  await isTraining(runs, 'trial-2');
  const children = childrenOf(running.child.pid!);
  expect(children).toHaveLength(4);
  running.child.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  expect(code, stderr).toBe(130);
  expect(trialsOf(stdout).trials.map(({ loss }) => loss !== null)).toEqual([true, false, false]);
  expect(children.filter(({ pid }) => existsSync(`/proc/${pid}`))).toEqual([]);
});

test('compare: new processes for the first training of a method, the same for those with further seeds', {
  timeout: 120_000,
}, async () => {
  const flags = ['--budget-passes', '2', '--seeds', '2', '--no-self-check', '--json'];
  const methods = 'adam(learningRate=0.01),sgd(learningRate=0.1)';
  const { code, stdout, stderr } = await run([
    ...['compare', jobFile('blobs'), '--methods', methods, '--runs', temporaryFolder(), ...flags],
  ]);
  expect(code, stderr).toBe(0);
  const { folder, trials } = JSON.parse(stdout);
  const processes = trials.map((trial: { folder: string }) => processesOf(trial.folder, ''));
  expect(processes).toHaveLength(4);
  expect(new Set([...processes[0], ...processes[1]]).size).toBe(8);
  expect(processes[2]).toEqual(processes[1]);
  expect(processes[3]).toEqual(processes[1]);
  const { methods: results } = JSON.parse(readFileSync(join(folder, 'compare.json'), 'utf8'));
  for (const { method, memoryBytes } of results) {
    const first = trials.find((trial: { method: string }) => trial.method === method);
    expect(memoryBytes).toBe(first.memoryBytes);
  }
});
