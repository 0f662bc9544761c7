import { inMemory } from '@tributary/worker/data/inMemory.ts';
import { createJobSpec, overrideJob } from '@tributary/worker/job/createJobSpec.ts';
import { defineJob, isJob, isJobFamily } from '@tributary/worker/job/defineJob.ts';
import { sgd } from '@tributary/worker/job/optimizers.ts';
import { expect, test } from 'vitest';

const family = defineJob(
  { model: ['plain', 'deep'], learningRate: 0.1, biased: true, label: 'y' },
  ({ model, learningRate, biased, label }) => ({
    name: `${model}-${biased}-${label}`,
    model: { init: () => [], loss: () => undefined as never },
    data: { train: inMemory({ x: [1, 2] }) },
    optimizer: sgd({ learningRate }),
    batchSize: 1,
    steps: 1,
  }),
);

test('an option not given takes its default, and of choices the first', () => {
  const job = family.create({});
  expect(job.name).toBe('plain-true-y');
  expect(job.optimizer.hyperparameters.learningRate).toBe(0.1);
  expect(job.options).toEqual({ model: 'plain', learningRate: 0.1, biased: true, label: 'y' });
});

test('options come as text, as from a command, or as what they are', () => {
  const typed = family.create({ model: 'deep', learningRate: 1e-3, biased: false });
  const text = family.create({ model: 'deep', learningRate: '1e-3', biased: 'false' });
  expect(text.options).toEqual(typed.options);
  expect(text.optimizer).toEqual(typed.optimizer);
});

test.each([
  [
    { modell: 'deep' },
    'the job has no option "modell". Did you mean "model"? Options of the job: model (plain or deep), learningRate (a number, 0.1 by default), biased (true or false, true by default), label (text, "y" by default).',
  ],
  [{ model: 'wide' }, `the job's option model is 'wide'. It must be plain or deep.`],
  [{ learningRate: 'fast' }, `the job's option learningRate is 'fast'. It must be a number, 0.1 by default.`],
  [{ learningRate: ' ' }, `the job's option learningRate is ' '. It must be a number, 0.1 by default.`],
  [{ biased: 'yes' }, `the job's option biased is 'yes'. It must be true or false, true by default.`],
  [{ label: 7 }, `the job's option label is 7. It must be text, "y" by default.`],
])('%j is refused', (given, line) => {
  expect(() => family.create(given)).toThrow(expect.objectContaining({ line }));
});

test('what the definition gets wrong for some values is said when they are given', () => {
  expect(() => family.create({ learningRate: -1 })).toThrow(/optimizer "sgd": learningRate is -1/);
});

test('the options go with the job into its specification', () => {
  const layout = { length: 0, tensors: [] };
  const job = overrideJob(family.create({ model: 'deep' }), { seed: 5 });
  const spec = createJobSpec({ ...job, name: 'job' }, layout as never, 8);
  expect(spec).toMatchObject({ seed: 5, options: { model: 'deep', learningRate: 0.1 } });
});

test('a family is not a job, and makes jobs', () => {
  expect([isJobFamily(family), isJob(family)]).toEqual([true, false]);
  expect([isJobFamily(family.create({})), isJob(family.create({}))]).toEqual([false, true]);
});
