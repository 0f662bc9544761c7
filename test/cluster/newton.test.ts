import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { expect, test } from 'vitest';
import { golden } from '../methods/functions.ts';
import { childrenOf } from './childrenOf.ts';
import { jobFile, start, temporaryFolder, train } from './tributary.ts';

test("Newton's method on the cluster: the fixture's iterates, and the same bits for any number of processes", {
  timeout: 240_000,
}, async () => {
  const runs = temporaryFolder();
  const summaries = [];
  for (const [workers, servers] of [
    [1, 1],
    [3, 2],
  ]) {
    const flags = ['--runs', runs, '--workers', `${workers}`, '--servers', `${servers}`];
    summaries.push(await train([jobFile('newtonLogistic'), ...flags]));
  }
  expect(summaries[0]).toMatchObject({ optimizer: 'newton', parameters: 31, steps: 8 });
  expect(new Set(summaries.map((summary) => summary.parametersSha256)).size).toBe(1);

  const [{ checkpoint }] = summaries;
  const { layout, flat } = decodeSafetensors(readFileSync(checkpoint));
  expect(layout.tensors.map(({ name }) => name)).toEqual(['w']);
  const error = Math.max(...flat.map((weight, index) => Math.abs(weight - golden.final_weights[index])));
  expect(error).toBeLessThan(1e-6);
  const metrics = readFileSync(join(dirname(checkpoint), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const steps = metrics.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'step');
  expect(steps.map(({ step, examples }) => [step, examples])).toEqual(
    Array.from({ length: 8 }, (_, step) => [step, 569]),
  );
  for (const { step, loss } of steps) {
    expect(Math.abs(loss - golden.loss_after_iteration[step]), `step ${step}`).toBeLessThan(1e-6);
  }
});

test('a worker, then a server, killed in the middle of steps: ranks and state move on, and the result is the same bits', {
  timeout: 240_000,
}, async () => {
  const flags = ['--lease-ms', '1000', '--workers', '2', '--servers', '2'];
  const undisturbed = await train([jobFile('newtonPaced'), '--runs', temporaryFolder(), ...flags]);
  for (const role of ['worker', 'server']) {
    const more = ['--runs', temporaryFolder(), '--json', '--print-every', '1'];
    const running = start(['train', jobFile('newtonPaced'), ...more, ...flags]);
    await running.shows(/^step 25 /m);
    const victim = childrenOf(running.child.pid!).find((child) => child.role === role)!;
    process.kill(victim.pid, 'SIGKILL');
    const { code, stdout, stderr } = await running.ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('was killed by SIGKILL');
    expect(JSON.parse(stdout)).toMatchObject({ steps: 60, parametersSha256: undisturbed.parametersSha256 });
  }
});

test('a worker that is told to leave in the middle of a Hessian does, without a word of C++', {
  timeout: 120_000,
}, async () => {
  const flags = ['--workers', '1', '--servers', '1', '--no-self-check', '--print-every', '1'];
  const running = start(['train', jobFile('slowHessian'), '--runs', temporaryFolder(), ...flags]);
  await running.shows(/^step 1 /m);
  const worker = childrenOf(running.child.pid!).find(({ role }) => role === 'worker')!;
  process.kill(worker.pid, 'SIGTERM');
  await expect.poll(() => existsSync(`/proc/${worker.pid}`), { timeout: 30_000 }).toBe(false);
  // One that is killed, or dies of an exception, would be said to be, and started anew.
  expect(running.output.stderr).not.toMatch(/terminate called|was killed|started anew/);
  expect(childrenOf(running.child.pid!).map(({ role }) => role)).toEqual(['server']);
});
