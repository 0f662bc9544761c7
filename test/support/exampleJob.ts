import { randomUUID } from 'node:crypto';
import type { JobRecord } from '@tributary/coordinator/Coordinator.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { jobHash } from '@tributary/core/job/jobHash.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';

/** A name that no other test uses, with what a name may hold. */
export function uniqueJobName(): string {
  return `test {job} ü ${randomUUID()}`;
}

export function exampleSpec(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    name: 'example',
    seed: 7,
    ranks: 4,
    sampling: 'shuffled',
    lastBatch: 'dropped',
    batchSize: 16,
    trainSize: 640,
    steps: 100,
    stepsPerEpoch: 10,
    staleness: 0,
    optimizer: { name: 'sgd', hyperparameters: { learningRate: 0.1 } },
    schedule: { name: 'constant', options: {} },
    clipping: {},
    layout: createLayout([
      { name: 'w', shape: [3, 5] },
      { name: 'b', shape: [5] },
    ]),
    checkpointEverySteps: 10,
    checkpointsKept: 3,
    evaluateEverySteps: 0,
    rejectedMax: 10,
    ...changes,
  };
}

export function exampleRecord(changes: Partial<JobRecord> = {}): JobRecord {
  const spec = exampleSpec();
  return {
    spec,
    hash: jobHash(spec),
    state: 'running',
    endStep: spec.steps,
    error: '',
    createdAtMs: 1_700_000_000_000,
    ...changes,
  };
}
