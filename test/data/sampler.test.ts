import { createSampler } from '@tributary/worker/data/sampler.ts';
import { expect, test } from 'vitest';

const shuffled = { sampling: 'shuffled', seed: 7, ranks: 3, batchSize: 4, size: 50 } as const;

/** What all ranks together see from step `begin` to before step `end`. */
function seen(sampling: Parameters<typeof createSampler>[0], begin: number, end: number): number[] {
  const sampler = createSampler(sampling);
  const examples: number[] = [];
  for (let step = begin; step < end; step++) {
    for (let rank = 0; rank < sampling.ranks; rank++) examples.push(...sampler.examples(rank, step));
  }
  return examples;
}

test('an epoch sees no example twice, and leaves out only what is too short for a step', () => {
  const { stepsPerEpoch } = createSampler(shuffled);
  expect(stepsPerEpoch).toBe(4);
  for (let epoch = 0; epoch < 20; epoch++) {
    const examples = seen(shuffled, epoch * stepsPerEpoch, (epoch + 1) * stepsPerEpoch);
    expect(examples).toHaveLength(48);
    expect(new Set(examples).size).toBe(48);
    expect(examples.every((example) => example >= 0 && example < 50)).toBe(true);
  }
});

test('no example is left out for good: over many epochs all are seen equally often', () => {
  const counts = Array<number>(50).fill(0);
  for (const example of seen(shuffled, 0, 4 * 500)) counts[example]++;
  // 500 epochs, each example in 48 of 50 of them: 480 expected, standard deviation 4.4.
  for (const count of counts) expect(Math.abs(count - 480)).toBeLessThan(25);
});

test.each([
  [50, 5],
  [48, 4],
  [49, 5],
  [11, 1],
  [1, 1],
])(
  '%i examples, none dropped: an epoch of %i steps sees each once, the last step shared out evenly',
  (size, steps) => {
    const sampling = { ...shuffled, size, lastBatch: 'short' } as const;
    const sampler = createSampler(sampling);
    expect(sampler.stepsPerEpoch).toBe(steps);
    for (const epoch of [0, 3]) {
      const examples = seen(sampling, epoch * steps, (epoch + 1) * steps);
      expect(examples.sort((a, b) => a - b)).toEqual([...Array(size).keys()]);
    }
    const sizes = [0, 1, 2].map((rank) => sampler.examples(rank, steps - 1).length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  },
);

test('a minibatch depends on seed, rank and step alone, and on each of them', () => {
  const once = createSampler(shuffled);
  const later = createSampler(shuffled);
  const backwards = [9, 4, 0].map((step) => [...later.examples(2, step)]);
  expect([9, 4, 0].map((step) => [...once.examples(2, step)])).toEqual(backwards);
  expect(once.examples(2, 4)).not.toEqual(once.examples(2, 0));
  expect(once.examples(2, 4)).not.toEqual(once.examples(1, 4));
  expect(createSampler({ ...shuffled, seed: 8 }).examples(2, 4)).not.toEqual(once.examples(2, 4));
});

test('full: at every step the ranks share out all examples in their order, evenly to one', () => {
  for (const [ranks, size] of [
    [8, 100],
    [1, 5],
    [7, 7],
    [3, 50],
  ]) {
    const sampling = { sampling: 'full', seed: 1, ranks, size } as const;
    const sampler = createSampler(sampling);
    const sizes = Array.from({ length: ranks }, (_, rank) => sampler.examples(rank, 3).length);
    expect(seen(sampling, 3, 4)).toEqual([...Array(size).keys()]);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    expect(sampler.stepsPerEpoch).toBe(1);
    expect(sampler.batchSize).toBe(Math.max(...sizes));
  }
});

test('too few examples: the message says what is possible', () => {
  expect(() => createSampler({ ...shuffled, batchSize: 17 })).toThrow(
    expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: '50 training examples are too few for 3 ranks with batchSize 17: a step takes 51',
      hint: "The largest batchSize possible with 3 ranks is 16; or set lastBatch to 'short'.",
    }),
  );
  expect(createSampler({ ...shuffled, batchSize: 16 }).stepsPerEpoch).toBe(1);
  expect(() => createSampler({ ...shuffled, ranks: 60 })).toThrow(
    expect.objectContaining({ hint: 'At most 50 ranks are possible with this data.' }),
  );
  expect(() => createSampler({ sampling: 'full', seed: 1, ranks: 60, size: 50 })).toThrow(
    expect.objectContaining({ hint: 'At most 50 ranks are possible with this data.' }),
  );
});
