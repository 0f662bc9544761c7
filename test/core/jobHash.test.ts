import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { expect, test } from 'vitest';

const spec: JobSpec = {
  name: 'lines',
  seed: 1,
  ranks: 4,
  sampling: 'shuffled',
  lastBatch: 'dropped',
  batchSize: 8,
  trainSize: 100,
  steps: 10,
  stepsPerEpoch: 3,
  staleness: null,
  optimizer: { name: 'sgd', hyperparameters: { learningRate: 0.1 } },
  schedule: { name: 'constant', options: {} },
  clipping: {},
  layout: createLayout([{ name: 'w', shape: [2] }]),
  checkpointEverySteps: 0,
  checkpointsKept: 3,
  evaluateEverySteps: 0,
  rejectedMax: 0,
};

test('the hash does not depend on the order of keys, nor on a way through JSON', () => {
  const reversed = Object.fromEntries(Object.entries(spec).reverse()) as unknown as JobSpec;
  expect(jobHash(spec)).toMatch(/^[0-9a-f]{64}$/);
  expect(jobHash(reversed)).toBe(jobHash(spec));
  expect(jobHash(JSON.parse(JSON.stringify(spec)))).toBe(jobHash(spec));
  expect(jobHash({ ...spec, clipping: { norm: undefined } as never })).toBe(jobHash(spec));
});

test('any change changes the hash', () => {
  const changes: Partial<JobSpec>[] = [
    { seed: 2 },
    { staleness: 0 },
    { name: 'line' },
    { optimizer: { name: 'sgd', hyperparameters: { learningRate: 0.2 } } },
    { layout: createLayout([{ name: 'w', shape: [1, 2] }]) },
    { clipping: { norm: 1 } },
  ];
  const hashes = changes.map((change) => jobHash({ ...spec, ...change }));
  expect(new Set([jobHash(spec), ...hashes]).size).toBe(changes.length + 1);
});
