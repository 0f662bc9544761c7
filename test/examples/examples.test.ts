import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder, train } from '../cluster/tributary.ts';

/* Linear regression, the third one, has a test of its own: it is compared with the article. */

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}/job.ts`, import.meta.url));

/** Trains twice with the same seed and once with another. */
async function trainThrice(name: string, ...flags: string[]) {
  const once = (seed: string) =>
    train([example(name), '--runs', temporaryFolder(), '--seed', seed, ...flags]);
  const summaries = [await once('1'), await once('1'), await once('2')];
  const hashes = summaries.map((summary) => summary.parametersSha256);
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
  return summaries[0];
}

test('mnist: after one epoch most of the held-out digits come out right', { timeout: 120_000 }, async () => {
  const summary = await trainThrice('mnist', '--epochs', '1');
  expect(summary).toMatchObject({ job: 'mnist', evaluatedOn: 'test', epochs: 1 });
  expect(summary.accuracy).toBeGreaterThan(0.9);
});

test('csv: prices of houses, from the file beside the job', { timeout: 120_000 }, async () => {
  const summary = await trainThrice('csv', '--epochs', '20');
  expect(summary).toMatchObject({ job: 'house-prices', evaluatedOn: 'test', accuracy: null });
  // In (100,000)^2; the prices themselves vary by more than 1.
  expect(summary.loss).toBeLessThan(0.2);
});
