import { numpy as np } from '@jax-js/jax';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createJobSpec } from '@tributary/worker/job/createJobSpec.ts';
import type { JobDefinition } from '@tributary/worker/job/Job.ts';
import { adam, defineJob, inMemory, lbfgs, sgd, topk } from 'tributary';
import { expect, test } from 'vitest';
import { caught } from '../core/caught.ts';

const layout = createLayout([
  { name: 'conv/w', shape: [3] },
  { name: 'conv/b', shape: [2] },
  { name: 'dense/w', shape: [7] },
  { name: 'dense/b', shape: [1] },
]);

function job(change: Partial<JobDefinition>) {
  const model = { init: () => ({ w: np.zeros([2]) }), loss: ({ w }: { w: np.Array }) => np.mean(w) };
  const data = { train: inMemory({ x: [[1, 2]] }) };
  return defineJob({
    model,
    data,
    optimizer: sgd(),
    batchSize: 1,
    ranks: 1,
    epochs: 1,
    ...(change as object),
  });
}

const specOf = (change: Partial<JobDefinition>) => createJobSpec({ ...job(change), name: 'try' }, layout, 10);

test('an encoding is of runs of tensors; what matches no pattern is float32, and float32 throughout is none', () => {
  expect(specOf({ encoding: 'int8', pullEncoding: 'f16' })).toMatchObject({
    encoding: [{ begin: 0, end: 13, codec: { name: 'int8' } }],
    pullEncoding: { name: 'f16' },
  });
  expect(
    specOf({ encoding: { '*/b': 'f32', 'conv*': 'bf16', 'dense/w': topk({ density: 0.2 }) } }).encoding,
  ).toEqual([
    { begin: 0, end: 3, codec: { name: 'bf16' } },
    { begin: 3, end: 5, codec: { name: 'f32' } },
    { begin: 5, end: 12, codec: { name: 'topk', options: { density: 0.2 } } },
    { begin: 12, end: 13, codec: { name: 'f32' } },
  ]);
  expect(specOf({ encoding: { 'dense*': 'sign' } }).encoding).toEqual([
    { begin: 0, end: 5, codec: { name: 'f32' } },
    { begin: 5, end: 13, codec: { name: 'sign' } },
  ]);
  for (const encoding of ['f32', { '*': 'f32' }] as const)
    expect(Object.keys(specOf({ encoding, pullEncoding: 'f32' }))).not.toContain('encoding');
  expect(specOf({ encoding: 'f32' })).toEqual(specOf({}));
});

test('encodings that cannot be are refused by name', () => {
  const refused: [Partial<JobDefinition>, string][] = [
    [{ encoding: 'int4' as never }, 'there is no encoding "int4"'],
    [
      { encoding: 7 as never },
      'encoding is 7, but must be the name of an encoding, topk({ ... }), or an object',
    ],
    [{ encoding: topk({ density: 2 }) }, 'encoding "topk": density is 2'],
    [{ encoding: { w: 'bf16', '*': 'bf17' as never } }, 'there is no encoding "bf17"'],
    [
      { pullEncoding: 'sign' as never },
      `pullEncoding is 'sign', but must be 'f32', 'bf16', 'f16' or 'delta'`,
    ],
    [
      { encoding: topk({ momentum: 0.9 }), optimizer: adam() },
      'but the optimizer is adam: set its momentum to 0',
    ],
    [{ encoding: 'bf16', optimizer: lbfgs() }, 'lbfgs pushes and pulls exact steps: leave it out'],
  ];
  for (const [change, message] of refused) expect(caught(() => job(change)).message).toContain(message);
  expect(caught(() => specOf({ encoding: { 'embedding*': 'bf16' } }))).toMatchObject({
    message: 'encoding: no parameter of the model matches "embedding*"',
    hint: 'Its parameters are conv/w, conv/b, dense/w, dense/b.',
  });
});
