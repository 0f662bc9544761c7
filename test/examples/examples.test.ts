import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder, train } from '../cluster/tributary.ts';

/* Linear regression, the third one, has a test of its own: it is compared with the article. */

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}/job.ts`, import.meta.url));

const trainSeed = (seed: string, name: string, ...flags: string[]) =>
  train([example(name), '--runs', temporaryFolder(), '--seed', seed, ...flags]);

/** Trains twice with the same seed, to the same bits. */
async function trainTwice(name: string, ...flags: string[]) {
  const first = await trainSeed('1', name, ...flags);
  const second = await trainSeed('1', name, ...flags);
  expect(second.parametersSha256).toBe(first.parametersSha256);
  return first;
}

test('mnist: after one epoch most of the held-out digits come out right', { timeout: 120_000 }, async () => {
  const summary = await trainTwice('mnist', '--epochs', '1');
  expect(summary).toMatchObject({ job: 'mnist', evaluatedOn: 'test', epochs: 1 });
  expect(summary.accuracy).toBeGreaterThan(0.9);
});

test('csv: prices of houses, from the file beside the job', { timeout: 120_000 }, async () => {
  const summary = await trainTwice('csv', '--epochs', '20');
  expect(summary).toMatchObject({ job: 'house-prices', evaluatedOn: 'test', accuracy: null });
  // In (100,000)^2; the prices themselves vary by more than 1.
  expect(summary.loss).toBeLessThan(0.2);

  const other = await trainSeed('2', 'csv', '--epochs', '20');
  expect(other.parametersSha256).not.toBe(summary.parametersSha256);
});
