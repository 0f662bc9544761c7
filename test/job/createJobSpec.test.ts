import { numpy as np } from '@jax-js/jax';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createJobSpec, overrideJob } from '@tributary/worker/job/createJobSpec.ts';
import { defineJob, inMemory, sgd, type TensorRule } from 'tributary';
import { expect, test } from 'vitest';

const layout = createLayout([{ name: 'w', shape: [2] }]);
const data = inMemory({ x: [[1, 2]] });
const model = { init: () => ({ w: np.zeros([2]) }), loss: ({ w }: { w: np.Array }) => np.mean(w) };
const common = { model, optimizer: sgd(), name: 'try' };

test('epochs become steps, of which the short last one is left out', () => {
  const job = {
    ...defineJob({ ...common, data: { train: data }, batchSize: 10, ranks: 4, epochs: 2.5 }),
    name: 'try',
  };
  expect(createJobSpec(job, layout, 1010)).toEqual({
    name: 'try',
    seed: 1,
    ranks: 4,
    sampling: 'shuffled',
    lastBatch: 'dropped',
    batchSize: 10,
    trainSize: 1010,
    steps: 63,
    stepsPerEpoch: 25,
    staleness: 0,
    optimizer: { name: 'sgd', hyperparameters: {} },
    schedule: { name: 'constant', options: {} },
    clipping: {},
    layout,
    checkpointEverySteps: 25,
    checkpointsKept: 3,
    evaluateEverySteps: 0,
    rejectedMax: 8,
  });
});

test('full batch: a step is an epoch; checkpoints and evaluations are not taken at each', () => {
  const definition = {
    ...common,
    data: { train: data, test: data },
    sampling: 'full',
    epochs: 1000,
  } as const;
  const job = { ...defineJob(definition), name: 'try' };
  expect(createJobSpec(job, layout, 100)).toMatchObject({
    sampling: 'full',
    batchSize: 13,
    steps: 1000,
    stepsPerEpoch: 1,
    checkpointEverySteps: 50,
    evaluateEverySteps: 10,
  });
  const told = {
    ...defineJob({ ...definition, checkpointEverySteps: 0, evaluateEverySteps: 7 }),
    name: 'try',
  };
  expect(createJobSpec(told, layout, 100)).toMatchObject({ checkpointEverySteps: 0, evaluateEverySteps: 7 });
});

test('Infinity has no place in JSON', () => {
  const staleness = Number.POSITIVE_INFINITY;
  const job = {
    ...defineJob({ ...common, data: { train: data }, batchSize: 1, steps: 5, staleness }),
    name: 'try',
  };
  expect(createJobSpec(job, layout, 100)).toMatchObject({ staleness: null, steps: 5, stepsPerEpoch: 12 });
});

test('fields can be overridden, and are checked as in the file', () => {
  const job = { ...defineJob({ ...common, data: { train: data }, batchSize: 10, epochs: 2 }), name: 'try' };
  const overridden = overrideJob(job, { steps: 7, seed: 9, ranks: 2, staleness: undefined });
  expect(createJobSpec(overridden, layout, 100)).toMatchObject({ steps: 7, seed: 9, ranks: 2, staleness: 0 });
  expect(overrideJob(overridden, { epochs: 3 })).toMatchObject({ epochs: 3, seed: 9 });
  expect(overrideJob(overridden, { epochs: 3 }).steps).toBeUndefined();
  expect(overrideJob(job, {})).toEqual(job);
  expect(() => overrideJob(job, { ranks: 0 })).toThrow(
    'ranks is 0, but must be a whole number from 1 to 4096',
  );
  expect(() => overrideJob(job, { epochs: 3, steps: 7 })).toThrow('epochs and steps are both given');
});

test('a batch larger than the data is refused with the largest that is possible', () => {
  const job = { ...defineJob({ ...common, data: { train: data }, batchSize: 20, epochs: 2 }), name: 'try' };
  expect(() => createJobSpec(job, layout, 100)).toThrow(
    expect.objectContaining({
      hint: "The largest batchSize possible with 8 ranks is 12; or set lastBatch to 'short'.",
    }),
  );
});

test('rules for tensors are resolved to their names, later ones overruling earlier ones', () => {
  const layout = createLayout(
    ['dense1/w', 'dense1/b', 'dense2/w', 'dense2/b'].map((name) => ({ name, shape: [2] })),
  );
  const resolved = (...tensors: TensorRule[]) => {
    const job = defineJob({ ...common, data: { train: data }, batchSize: 1, steps: 5, tensors });
    return createJobSpec({ ...job, name: 'try' }, layout, 100).tensors;
  };
  expect(
    resolved(
      { match: 'dense1/*', frozen: true },
      { match: '*/b', weightDecay: false },
      { match: 'dense1/b', frozenUntil: 3, learningRateScale: 0.1 },
    ),
  ).toEqual([
    { name: 'dense1/w', frozenUntil: null },
    { name: 'dense1/b', frozenUntil: 3, learningRateScale: 0.1, weightDecay: false },
    { name: 'dense2/b', weightDecay: false },
  ]);
  expect(() => resolved({ match: ['dense1*', 'conv*'], frozen: true })).toThrow(
    expect.objectContaining({
      line: 'tensors: no parameter of the model matches "conv*". Its parameters are dense1/w, dense1/b, dense2/w, dense2/b.',
    }),
  );
  expect(() => resolved({ match: '*', frozen: true })).toThrow('all parameters of the model are frozen');
});
