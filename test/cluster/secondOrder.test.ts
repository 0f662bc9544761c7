import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { expect, test } from 'vitest';
import { parameterHash } from '../../packages/cli/src/parameters/parameterHash.ts';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';
import { trainHere } from '../examples/trainHere.ts';
import { golden } from '../methods/functions.ts';
import { jobFile, run, temporaryFolder, train } from './tributary.ts';

/** Trains on a cluster, and once more in this process alone, as one worker and one server; the results must be the same bits. */
async function trainTwice(
  job: string,
  workers: number,
  servers: number,
  { steps, ...options }: OptionValues & { steps?: number } = {},
): Promise<TrainSummary> {
  const flags = Object.entries({ workers, servers, ...options, ...(steps && { steps }) });
  const args = flags.flatMap(([name, given]) => [`--${name}`, `${given}`]);
  const summary = await train([jobFile(job), '--runs', temporaryFolder(), ...args]);
  const { flat } = await trainHere(jobFile(job), { options, ...(steps && { steps }) });
  expect(parameterHash(flat)).toBe(summary.parametersSha256);
  return summary;
}

test.each([
  ['lbfgsLogistic', 1e-6],
  ['newtonCgLogistic', 1e-6],
])(
  "%s: the fixture's minimum, and the same bits for any number of processes",
  {
    timeout: 240_000,
  },
  async (job, most) => {
    const { checkpoint } = await trainTwice(job, 3, 2);
    const { flat } = decodeSafetensors(readFileSync(checkpoint));
    expect(flat.length).toBe(31);
    const error = Math.max(...flat.map((weight, index) => Math.abs(weight - golden.final_weights[index])));
    expect(error).toBeLessThan(most);
  },
);

test('Newton-CG on a million parameters: the loss falls at every step, and the same bits for any number of processes', {
  timeout: 240_000,
}, async () => {
  const summary = await trainTwice('newtonCgLarge', 2, 2);
  expect(summary.parameters).toBe(512 * 1600 + 1600 + 1600 * 128 + 128);
  const lines = readFileSync(join(dirname(summary.checkpoint), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const losses = lines
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'step')
    .map(({ loss }) => loss);
  losses.push(summary.loss);
  expect(losses.length).toBe(6);
  losses.slice(1).forEach((loss, index) => {
    expect(loss).toBeLessThan(losses[index]);
  });
  expect(summary.loss).toBeLessThan(0.8 * losses[0]);
});

test('Gauss-Newton products: a network that is not convex is learnt, and the same bits for any number of processes', {
  timeout: 240_000,
}, async () => {
  const summary = await trainTwice('spirals', 2, 2);
  expect(summary.loss).toBeLessThan(0.05);
  expect(summary.accuracy).toBe(1);
});

test.each([
  ['none', /model\.outputs and model\.outputLoss are missing, but newton-cg with gaussNewton needs them/],
  ['different', /loss\(parameters, batch\) is .*, but outputLoss\(outputs\(parameters, batch\), batch\) is /],
])('Gauss-Newton products are refused where the two parts of the loss are %s', async (twoParts, says) => {
  const args = ['train', jobFile('spirals'), '--runs', temporaryFolder(), '--two-parts', twoParts];
  const { code, stderr } = await run(args);
  expect(stderr).toMatch(says);
  expect(code).not.toBe(0);
});

test('K-FAC: the same network, and the same bits for any number of processes', {
  timeout: 240_000,
}, async () => {
  const summary = await trainTwice('spirals', 2, 2, { method: 'kfac', steps: 60 });
  expect(summary.optimizer).toBe('kfac');
  expect(summary.loss).toBeLessThan(0.2);
});
