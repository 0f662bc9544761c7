import { grad, lax, nn, numpy as np } from '@jax-js/jax';
import { layoutOf } from '@tributary/worker/autodiff/initialParameters.ts';
import { createBuffer } from '@tributary/worker/compute/checkBuffers.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import type { Model } from '@tributary/worker/job/Model.ts';
import { relu } from '@tributary/worker/nn/activations.ts';
import { norm, power } from '@tributary/worker/nn/functions.ts';
import { describe, expect, test } from 'vitest';

/** Where jax-js 0.1.25, compiled or by itself, answers wrongly without a word; each with the right answer. */
const gradients: Record<string, [fn: (x: np.Array) => np.Array, x: number[], expected: number[]]> = {
  'the first element': [(x) => x.slice(0), [1, 2, 3], [1, 0, 0]],
  'a range': [(x) => x.slice([0, 2]).sum(), [1, 2, 3], [1, 1, 0]],
  'a column': [(x) => x.reshape([2, 3]).slice([], 0).mean(), [1, 2, 3, 4, 5, 6], [0.5, 0, 0, 0.5, 0, 0]],
  'a trace': [(x) => np.trace(x.reshape([2, 2])), [1, 2, 3, 4], [1, 0, 0, 1]],
  'one log-probability': [(x) => nn.logSoftmax(x).slice(0), [0, 0], [0.5, -0.5]],
  'repeated lookups': [
    (x) => np.take(x, np.array([1, 1, 2], { dtype: np.int32 }), 0).sum(),
    [1, 2, 3],
    [0, 2, 1],
  ],
  'a lookup from the end': [
    (x) => np.take(x, np.array([-1], { dtype: np.int32 }), 0).sum(),
    [1, 2, 3],
    [0, 0, 1],
  ],
  'a sort': [
    (x) =>
      np
        .sort(x)
        .mul(np.array([1, 10, 100]))
        .sum(),
    [3, 1, 2],
    [100, 1, 10],
  ],
  'a Cholesky factor': [(x) => np.linalg.cholesky(x.reshape([1, 1])).sum(), [4], [0.25]],
  'a linear solution': [(x) => np.linalg.solve(x.reshape([1, 1]), np.array([[8]])).sum(), [4], [-0.5]],
  'relu at 0': [(x) => relu(x).sum(), [-1, 0, 1], [0, 0, 1]],
  'a square at 0 and below': [(x) => power(x, 2).sum(), [-2, 0, 3], [-4, 0, 6]],
  'a cube': [(x) => power(x, 3).sum(), [-2, 0, 3], [12, 0, 27]],
  'a norm at 0': [(x) => norm(x), [0, 0, 0], [0, 0, 0]],
  'a norm elsewhere': [(x) => norm(x), [3, 4], [0.6, 0.8]],
  'a stopped gradient': [(x) => lax.stopGradient(x.ref).mul(x).sum(), [2, 3], [2, 3]],
};

describe.each(['native', 'reference'] as const)('%s', async (name) => {
  const backend = await openBackend(name);

  test.each(Object.entries(gradients))('the gradient of %s', async (_, [fn, x, expected]) => {
    const program = await backend.compile(
      (a) => [grad(fn)(a) as np.Array],
      [{ shape: [x.length], dtype: 'float32' }],
    );
    const outputs = program.outputs.map(createBuffer);
    await program.run([Float32Array.from(x)], outputs);
    expect(Array.from(outputs[0])).toEqual(expected.map((value) => expect.closeTo(value, 5)));
  });

  test('integer remainders of a batch are right inside a gradient', async () => {
    const model: Model = {
      init: () => ({ w: np.array(1) }),
      loss: (p, { id }) =>
        (p as { w: np.Array }).w
          .mul(id.mod(np.array([3, 3, 3], { dtype: np.int32 })).astype(np.float32))
          .sum(),
    };
    const program = new GradientProgram(backend, model, layoutOf(model));
    const gradient = new Float32Array(1);
    const loss = await program.run(
      Float32Array.of(2),
      { id: { shape: [3], data: Int32Array.of(4, 5, 6) } },
      gradient,
    );
    expect([loss, gradient[0]]).toEqual([6, 3]);
  });

  test('gradients come in the order of init, however its keys are called', async () => {
    const model: Model = {
      init: () => ({ b: np.array(2), a: np.array(1) }),
      loss: (p, { x }) => {
        const { a, b } = p as { a: np.Array; b: np.Array };
        return a.mul(2).add(b.mul(3)).mul(x.sum());
      },
    };
    const program = new GradientProgram(backend, model, layoutOf(model));
    const gradient = new Float32Array(2);
    await program.run(Float32Array.of(0, 0), { x: { shape: [1], data: Float32Array.of(1) } }, gradient);
    expect(Array.from(gradient)).toEqual([3, 2]);
  });
});

test('native sums keep counting where one float32 after another stops', async () => {
  const count = 2 ** 24 + 2 ** 20;
  const program = await (await openBackend('native')).compile(
    (x) => [x.ref.sum(), x.mean()],
    [{ shape: [count], dtype: 'float32' }],
  );
  const outputs = program.outputs.map(createBuffer);
  await program.run([new Float32Array(count).fill(1)], outputs);
  expect(outputs.map(([value]) => value)).toEqual([count, 1]);
});
