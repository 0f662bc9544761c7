import { createSampler } from '@tributary/worker/data/sampler.ts';
import { expect, test } from 'vitest';
import { numbers } from './jobs/uneven.ts';
import { jobFile, run, temporaryFolder, train } from './tributary.ts';

const uneven = jobFile('uneven');

/** The loss over all numbers after plain steps of gradient descent on w for the mean of (w - x)^2, in float64. */
function plainLoss(steps: number): number {
  const sampler = createSampler({
    ...{ sampling: 'shuffled', lastBatch: 'short', seed: 1, ranks: 2, batchSize: 4 },
    size: numbers.length,
  });
  let w = 0;
  for (let step = 0; step < steps; step++) {
    const examples = [0, 1].flatMap((rank) => [...sampler.examples(rank, step)]);
    const mean = examples.reduce((sum, example) => sum + numbers[example], 0) / examples.length;
    w -= 0.2 * 2 * (w - mean);
  }
  return numbers.reduce((sum, x) => sum + (w - x) ** 2, 0) / numbers.length;
}

test('the short step at the end of an epoch counts for its examples, whether its batches are short or padded', {
  timeout: 120_000,
}, async () => {
  const flags = [uneven, '--runs', temporaryFolder(), '--workers'];
  const short = await train([...flags, '1']);
  expect(short.epochs).toBe(3);
  expect(short.loss).toBeCloseTo(plainLoss(9), 6);
  expect((await train([...flags, '2'])).parametersSha256).toBe(short.parametersSha256);

  const padded = await train([...flags, '2', '--last-batch', 'padded']);
  expect(padded.loss).toBeCloseTo(plainLoss(9), 6);
});

test('padding is refused where the loss does not heed the weights', { timeout: 60_000 }, async () => {
  const flags = ['--last-batch', 'padded', '--heeds-weight', 'false'];
  const result = await run(['train', uneven, '--runs', temporaryFolder(), ...flags]);
  expect(result.code).toBe(2);
  expect(result.stderr).toMatch(
    /the loss does not leave out examples of weight 0: it is .* set lastBatch to 'short'/,
  );
});
