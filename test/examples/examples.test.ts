import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parameterHash } from '../../packages/cli/src/parameters/parameterHash.ts';
import { run, temporaryFolder, train } from '../cluster/tributary.ts';
import { installPackages } from '../support/installPackages.ts';
import { trainHere } from './trainHere.ts';

/* Linear regression, the third one, has a test of its own: it is compared with the article. */

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}/job.ts`, import.meta.url));

const trainSeed = (seed: string, name: string, ...flags: string[]) =>
  train([example(name), '--runs', temporaryFolder(), '--seed', seed, ...flags]);

/** The hash of what this process comes to, where a cluster would take longer to start. */
const hashHere = async (seed: number, name: string, epochs: number) =>
  parameterHash((await trainHere(example(name), { seed, epochs })).flat);

/** Trains on a cluster, and once more in this process, with the same seed and to the same bits. */
async function trainTwice(name: string, epochs: number) {
  const summary = await trainSeed('1', name, '--epochs', `${epochs}`);
  expect(await hashHere(1, name, epochs)).toBe(summary.parametersSha256);
  return summary;
}

test('mnist: after one epoch most of the held-out digits come out right', { timeout: 120_000 }, async () => {
  const summary = await trainTwice('mnist', 1);
  expect(summary).toMatchObject({ job: 'mnist', evaluatedOn: 'test', epochs: 1 });
  expect(summary.accuracy).toBeGreaterThan(0.9);
});

test('mnist --model cnn: the convolutional network learns them too', { timeout: 120_000 }, async () => {
  const summary = await trainSeed('1', 'mnist', '--model', 'cnn', '--epochs', '1');
  expect(summary).toMatchObject({ options: { model: 'cnn' }, parameters: 206_922, compute: 'native' });
  expect(summary.accuracy).toBeGreaterThan(0.88);
});

test('fashion-mnist: clothes, from the files of Debian', { timeout: 600_000 }, async () => {
  const data = '/usr/share/datasets/fashion-mnist';
  if (!existsSync(data)) await installPackages('dataset-fashion-mnist');
  const flags = ['--data', data, '--steps', '100', '--evaluate-every', '0'];
  const summary = await trainSeed('1', 'fashion-mnist', ...flags);
  expect(summary).toMatchObject({ job: 'fashion-mnist', evaluatedOn: 'test', compute: 'native' });
  expect(summary.accuracy).toBeGreaterThan(0.75);

  const absent = await run(['train', example('fashion-mnist'), '--data', '/nowhere']);
  expect(absent.code).toBe(2);
  expect(absent.stderr).toMatch(/^error: .*\/nowhere\/train-images-idx3-ubyte\.gz/m);
});

test('char-transformer: it goes on with a text better than by the frequency of letters', {
  timeout: 120_000,
}, async () => {
  const flags = ['--steps', '60', '--evaluate-every', '0', '--width', '32', '--blocks', '1'];
  const summary = await trainSeed('1', 'char-transformer', ...flags);
  expect(summary).toMatchObject({ options: { width: 32, blocks: 1 }, compute: 'native' });
  // The entropy of single characters in the text is 3.2.
  expect(summary.loss).toBeLessThan(2.8);
});

test('csv: prices of houses, from the file beside the job', { timeout: 120_000 }, async () => {
  const summary = await trainTwice('csv', 20);
  expect(summary).toMatchObject({ job: 'house-prices', evaluatedOn: 'test', accuracy: null });
  // In (100,000)^2; the prices themselves vary by more than 1.
  expect(summary.loss).toBeLessThan(0.2);

  expect(await hashHere(2, 'csv', 20)).not.toBe(summary.parametersSha256);
});
