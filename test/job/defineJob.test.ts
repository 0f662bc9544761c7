import { numpy as np } from '@jax-js/jax';
import type { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import {
  adam,
  cosine,
  defineJob,
  ftrl,
  inMemory,
  type JobDefinition,
  newton,
  plateau,
  prodigy,
  scheduleFree,
  sgd,
} from 'tributary';
import { expect, test } from 'vitest';

const minimal = {
  model: {
    init: () => ({ w: np.zeros([2]) }),
    loss: ({ w }: { w: np.Array }, { x }: { x: np.Array }) => np.mean(np.dot(x, w)),
  },
  data: { train: inMemory({ x: [[1, 2]] }) },
  optimizer: adam({ learningRate: 1e-3 }),
  batchSize: 16,
  epochs: 3,
};

/** The message for the minimal job with some fields otherwise. */
function problem(fields: object): string {
  try {
    defineJob({ ...minimal, ...fields } as unknown as JobDefinition);
  } catch (error) {
    expect(error).toMatchObject({ name: 'TributaryError', code: 'INVALID_ARGUMENT' });
    return (error as TributaryError).message.replace('the job is not valid: ', '');
  }
  return 'no error';
}

test('fields left out take their defaults', () => {
  expect(defineJob(minimal)).toMatchObject({
    ...minimal,
    optimizer: { name: 'adam', hyperparameters: { learningRate: 1e-3 } },
    schedule: { name: 'constant', options: {} },
    clipping: {},
    sampling: 'shuffled',
    seed: 1,
    ranks: 8,
    staleness: 0,
    checkpointsKept: 3,
    rejectedMax: 8,
  });
});

test('everything can be said', () => {
  const fields = {
    ...minimal,
    name: 'house-prices-2',
    optimizer: { name: 'sgd', hyperparameters: { learningRate: 0.5 } },
    schedule: cosine({ steps: 100, warmupSteps: 10 }),
    clipping: { value: 1, norm: 5 },
    ranks: 4,
    staleness: Number.POSITIVE_INFINITY,
    seed: 0,
    checkpointEverySteps: 0,
    checkpointsKept: 1,
    evaluateEverySteps: 10,
    rejectedMax: 0,
    start: { from: 'model.onnx', map: { '*/w': '*.weight' }, transpose: ['*/w'], reinitialise: ['head*'] },
  };
  expect(defineJob(fields)).toMatchObject(fields);
});

test.each<[object, string]>([
  [
    { name: 'House Prices' },
    `name is 'House Prices', but must be words of small letters and digits joined by hyphens, such as "house-prices"`,
  ],
  [{ batchSize: -3 }, 'batchSize is -3, but must be a whole number from 1 to 4294967295'],
  [{ batchSize: '16' }, `batchSize is '16', but must be a whole number from 1 to 4294967295`],
  [{ ranks: 5000 }, 'ranks is 5000, but must be a whole number from 1 to 4096'],
  [{ staleness: -1 }, 'staleness is -1, but must be a whole number from 0 to 4294967295, or Infinity'],
  [{ seed: 0.5 }, 'seed is 0.5, but must be a whole number from 0 to 4294967295'],
  [{ epochs: Number.NaN }, 'epochs is NaN, but must be a number above 0'],
  [{ sampling: 'random' }, `sampling is 'random', but must be 'shuffled' or 'full'`],
  [
    { start: 'runs/x' },
    `start is 'runs/x', but must be an object { from?, map?, transpose?, reinitialise? }`,
  ],
  [
    { start: { fron: 'x', reinitialise: 'head*' } },
    `start.reinitialise is 'head*', but must be a list of patterns of parameter names, such as ['head*']; start.fron is not a field of a job: did you mean start.from?`,
  ],
  [
    { start: { map: ['a'], from: 3 } },
    `start.from is 3, but must be a text; start.map is [ 'a' ], but must be an object of patterns, such as { 'conv*': 'features.conv*' }`,
  ],
  [
    { clipping: { norm: 0 } },
    'clipping.norm is 0, but must be a number above 0 (Pascanu, Mikolov & Bengio, 2013)',
  ],
  [{ model: { init: minimal.model.init } }, 'model.loss is missing, but must be a function'],
  [
    { delayCompensation: -1 },
    'delayCompensation is -1, but must be a number above 0 (lambda of Zheng et al., 2017)',
  ],
  [
    { delayCompensation: 0.04, learningRateByStaleness: true },
    'learningRateByStaleness is given, but with staleness 0 no gradient is late: leave it out; delayCompensation is given, but with staleness 0 no gradient is late: leave it out',
  ],
  [
    { pullAhead: true },
    'pullAhead is given, but with staleness 0 the next parameters wait for all gradients: leave it out',
  ],
  [
    { learningRateByStaleness: true, staleness: 2, optimizer: ftrl() },
    'learningRateByStaleness is given, but ftrl has a schedule of its own: leave it out',
  ],
  [
    { adaptiveBatch: { stepsMax: 0 } },
    'adaptiveBatch: stepsMax is 0. It must be a whole number, 2 or more. Its options: stepsMax (a whole number, 2 or more; 16 by default), memory (from 0 to below 1; 0.95 by default), rate (one of constant, sqrt, linear; constant by default). Source: McCandlish, Kaplan & Amodei, 2018.',
  ],
  [
    { adaptiveBatch: { rate: 'sqrt' }, ranks: 1, staleness: 2, optimizer: ftrl() },
    "adaptiveBatch is given, but noise shows between ranks, and there is one: give the job more ranks; adaptiveBatch is given, but staleness is 2: it takes the gradients of all ranks at the same step; adaptiveBatch is given, but ftrl has a schedule of its own: leave its rate at 'constant'",
  ],
  [
    { adaptiveBatch: {}, sampling: 'full', batchSize: undefined, tensors: [{ match: 'w', frozenUntil: 3 }] },
    "adaptiveBatch is given, but with sampling 'full' no gradient has noise: leave it out; adaptiveBatch is given, but a tensor thaws: the updates since then would not be known, so use frozen or leave frozenUntil out",
  ],
  [
    { adaptiveBatch: {}, optimizer: newton() },
    'adaptiveBatch is given, but newton makes one step of all that the ranks see: leave it out',
  ],
  [{ accumulate: 17 }, 'accumulate is 17, but a minibatch has 16 examples: it must not be more'],
  [
    { schedule: plateau({ everySteps: 5 }), staleness: 3 },
    'staleness is 3, but the schedule plateau goes by sums over whole steps: leave it out, or set it to 0',
  ],
  [
    { optimizer: prodigy(), staleness: Number.POSITIVE_INFINITY },
    'staleness is Infinity, but prodigy goes by sums over whole steps: leave it out, or set it to 0',
  ],
  [{ averaging: 1 }, 'averaging is 1, but must be a number from 0 to below 1 (Polyak & Juditsky, 1992)'],
  [
    { averaging: 0.9, optimizer: newton() },
    'averaging is given, but newton has no noise to average out: leave it out',
  ],
  [
    { averaging: 0.9, optimizer: scheduleFree() },
    'optimizer "schedule-free" averages the parameters itself. Leave averaging out.',
  ],
  [
    { schedule: cosine({ steps: 10 }), optimizer: scheduleFree() },
    'a schedule is given, but schedule-free has its own: leave it out',
  ],
  [{ tensors: {} }, 'tensors is {}, but must be a list of rules { match, ... }'],
  [
    { tensors: [{ match: '*', frosen: true }] },
    'tensors.0.frosen is not a field of a job: did you mean tensors.0.frozen?',
  ],
  [
    { tensors: [{ match: [] }] },
    'tensors.0.match is [], but must be a name or pattern such as "dense*", or a list of them',
  ],
  [
    { tensors: [{ match: 'w', learningRateScale: 0 }] },
    'tensors.0.learningRateScale is 0, but must be a number above 0',
  ],
  [
    { tensors: [{ match: 'w', frozen: true, frozenUntil: 3 }] },
    'tensors.0.frozen and tensors.0.frozenUntil are both given: give one',
  ],
  [
    { tensors: [{ match: 'w', weightDecay: false }], optimizer: ftrl() },
    'tensors say weightDecay, but ftrl has none: leave it out',
  ],
  [
    { tensors: [{ match: 'w', learningRateScale: 2 }], optimizer: newton() },
    'tensors.0.learningRateScale is given, but newton computes one step for all that is not frozen: leave it out',
  ],
  [{ model: 3 }, 'model is 3, but must be an object { init(key), loss(parameters, batch) }'],
  [
    { data: minimal.data.train },
    `data.train is missing, but must be a data source, such as csv(...), idx(...), jsonLines(...) or inMemory(...); data.description is not a field of a job; data.open is not a field of a job`,
  ],
  [
    { data: { train: 'x.csv' } },
    `data.train is 'x.csv', but must be a data source, such as csv(...), idx(...), jsonLines(...) or inMemory(...)`,
  ],
  [
    { optimizer: 'adam' },
    `optimizer is 'adam', but must be made by a constructor such as adam({ learningRate: 1e-3 }), or an object { name, hyperparameters }`,
  ],
  [
    { optimizer: undefined },
    'optimizer is missing, but must be made by a constructor such as adam({ learningRate: 1e-3 }), or an object { name, hyperparameters }',
  ],
  [{ batchsize: 4 }, 'batchsize is not a field of a job: did you mean batchSize?'],
  [{ colour: 4 }, 'colour is not a field of a job'],
  [{ clipping: { norms: 1 } }, 'clipping.norms is not a field of a job: did you mean clipping.norm?'],
  [{ optimizer: { name: 'sgd' } }, 'optimizer.hyperparameters is missing, but must be an object'],
  [
    { tensors: [{ match: 'a', frozn: true }] },
    'tensors.0.frozn is not a field of a job: did you mean tensors.0.frozen?',
  ],
  [{ start: { map: { a: 1 } } }, 'start.map.a is 1, but must be a text'],
  [{ steps: 4 }, 'epochs and steps are both given: give one'],
  [{ epochs: undefined }, 'epochs or steps is missing'],
  [
    { batchSize: undefined },
    'batchSize is missing, but must be the number of examples in the minibatch of one rank',
  ],
  [
    { sampling: 'full' },
    `batchSize is 16, but with sampling 'full' the ranks share out all examples: leave it out`,
  ],
])('%j: %s', (fields, message) => {
  expect(problem(fields)).toBe(message);
});

test('the optimizer and the schedule are checked when the job is defined, not when it runs', () => {
  expect(problem({ optimizer: { name: 'adm', hyperparameters: {} } })).toMatch(
    /no optimizer "adm".*adam, adamw/,
  );
  expect(problem({ optimizer: adam({ learningRate: -1 }) })).toMatch(
    /optimizer "adam": learningRate is -1.*above 0/,
  );
  expect(problem({ optimizer: adam({ momentum: 0.9 } as never) })).toMatch(
    /optimizer "adam" has no option "momentum"/,
  );
  expect(problem({ schedule: cosine({ steps: 0 }) })).toMatch(/schedule "cosine": steps is 0/);
});

test('every wrong field is named at once', () => {
  expect(problem({ ranks: 0, seed: -1 })).toBe(
    'seed is -1, but must be a whole number from 0 to 4294967295; ranks is 0, but must be a whole number from 1 to 4096',
  );
});

test('an editor knows the parameters, the fields of a batch, and the hyperparameters', () => {
  const data = { train: inMemory({ x: [[1, 2]], y: [1] }) };
  const init = () => ({ w: np.zeros([2]), b: np.zeros([]) });
  const rest = { data, optimizer: sgd({ learningRate: 0.1 }), batchSize: 1, steps: 1 };
  const loss = np.zeros;
  defineJob({ ...rest, model: { init, loss: ({ w, b }, { x, y }) => np.dot(x, w).add(b).sub(y) } });
  // @ts-expect-error there is no parameter v
  defineJob({ ...rest, model: { init, loss: ({ v }) => v } });
  // @ts-expect-error there is no field z in the data
  defineJob({ ...rest, model: { init, loss: (_, { z }) => z } });
  const lacking = { ...data, test: inMemory({ x: [[1, 2]] }) };
  // @ts-expect-error the test data has no y
  defineJob({ ...rest, data: lacking, model: { init, loss: () => loss([]) } });
  // @ts-expect-error sgd has no beta1
  sgd({ beta1: 0.9 });
  // @ts-expect-error a learning rate is a number
  adam({ learningRate: '0.1' });
});
