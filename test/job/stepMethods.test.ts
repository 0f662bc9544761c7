import { createLayout } from '@tributary/core/layout/Layout.ts';
import { inMemory } from '@tributary/worker/data/inMemory.ts';
import { createJobSpec, initialVector } from '@tributary/worker/job/createJobSpec.ts';
import { defineJob } from '@tributary/worker/job/defineJob.ts';
import type { JobDefinition } from '@tributary/worker/job/Job.ts';
import { adam, kfac, newton } from '@tributary/worker/job/optimizers.ts';
import { cosine } from '@tributary/worker/job/schedules.ts';
import { expect, test } from 'vitest';

const layout = createLayout([{ name: 'w', shape: [3] }]);
const jobOf = (change: Partial<JobDefinition>) =>
  defineJob({
    name: 'test',
    model: { init: () => [], loss: () => undefined as never },
    data: { train: inMemory({ x: [1, 2, 3, 4, 5, 6, 7, 8] }) },
    optimizer: newton({ damping: 0.5 }),
    sampling: 'full',
    steps: 2,
    ...change,
  } as JobDefinition) as ReturnType<typeof defineJob> & { name: string };

test('the servers of such a job assign, and its state lies behind the parameters', () => {
  const spec = createJobSpec(jobOf({}), layout, 8);
  expect(spec.optimizer).toEqual({ name: 'assign', hyperparameters: {} });
  expect(spec.method).toEqual({ name: 'newton', hyperparameters: { damping: 0.5 } });
  expect(spec.layout.tensors.map(({ name, offset }) => [name, offset])).toEqual([
    ['w', 0],
    ['method/damping', 3],
  ]);
  expect(Array.from(initialVector(spec, Float32Array.of(1, 2, 3)))).toEqual([1, 2, 3, 0.5]);
});

test('any other job is as it was', () => {
  const spec = createJobSpec(jobOf({ optimizer: adam() }), layout, 8);
  expect(spec).toMatchObject({ optimizer: adam(), layout });
  expect('method' in spec).toBe(false);
  const parameters = Float32Array.of(1, 2, 3);
  expect(initialVector(spec, parameters)).toBe(parameters);
});

test.each([
  [
    'an unknown name',
    { optimizer: { name: 'newtn', hyperparameters: {} } },
    'Did you mean "newton"? Use one of: sgd, ',
  ],
  [
    'what only servers know',
    { optimizer: { name: 'assign', hyperparameters: {} } },
    'there is no optimizer "assign"',
  ],
  [
    'an unknown option',
    { optimizer: { name: 'newton', hyperparameters: { lr: 1 } } },
    'Its options: damping (0 or more',
  ],
  ['an option out of range', { optimizer: newton({ damping: -1 }) }, 'damping is -1. It must be 0 or more'],
  ['staleness', { staleness: 2 }, 'staleness is 2, but newton sums over all ranks'],
  ['a schedule', { schedule: cosine({ steps: 5 }) }, 'a schedule is given, but newton takes none'],
  ['clipping', { clipping: { norm: 1 } }, 'clipping is given, but newton'],
  [
    'a tensor that thaws',
    { tensors: [{ match: 'w', frozenUntil: 5 }] },
    'tensors.0.frozenUntil is given, but newton computes one step for all that is not frozen: leave it out',
  ],
  [
    'a frozen tensor with kfac',
    { optimizer: kfac(), tensors: [{ match: 'w', frozen: true }] },
    'tensors are given, but kfac inverts the curvature of every dense layer',
  ],
])('%s is refused with what is possible', (_, change, message) => {
  expect(() => jobOf(change)).toThrow(message);
});

test('a parameter whose name is kept for state is refused', () => {
  const taken = createLayout([{ name: 'method/w', shape: [1] }]);
  expect(() => createJobSpec(jobOf({}), taken, 8)).toThrow('parameter "method/w" begins with "method/"');
});
