import { random } from '@jax-js/jax';
import { initialParameters } from '@tributary/worker/autodiff/initialParameters.ts';
import type { ComputeBackend } from '@tributary/worker/compute/ComputeBackend.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { padBatch } from '@tributary/worker/compute/padBatch.ts';
import { selfCheck } from '@tributary/worker/compute/selfCheck.ts';
import type { Model } from '@tributary/worker/job/Model.ts';
import { relu } from '@tributary/worker/nn/activations.ts';
import { type Affine, dense, initialDense } from '@tributary/worker/nn/layers.ts';
import { crossEntropy } from '@tributary/worker/nn/losses.ts';
import { expect, test } from 'vitest';

type Network = { hidden: Affine; out: Affine };
const model: Model = {
  init: (key) => {
    const keys = random.split(key, 2);
    return { hidden: initialDense(keys.ref.slice(0), 6, 16), out: initialDense(keys.slice(1), 16, 3) };
  },
  loss: (p, { x, label, weight }) => {
    const { hidden, out } = p as Network;
    return crossEntropy(dense(out, relu(dense(hidden, x))), label, weight);
  },
};
const examples = 20;
const batch = {
  x: { shape: [examples, 6], data: Float32Array.from({ length: 6 * examples }, (_, k) => Math.sin(k * k)) },
  label: { shape: [examples], data: Int32Array.from({ length: examples }, (_, k) => k % 3) },
};

/** A backend that doubles one output: a wrong rule. */
function broken(backend: ComputeBackend, output: number): ComputeBackend {
  return {
    name: 'native',
    compile: (fn, inputs) =>
      backend.compile((...xs) => fn(...xs).map((y, index) => (index === output ? y.mul(2) : y)), inputs),
  };
}

test('native and reference agree on a slice of the first batch', async () => {
  const { flat, ...shape } = await initialParameters(model, 1);
  const program = new GradientProgram(await openBackend('native'), model, shape);
  const { measure, examples: compared } = await selfCheck(program, model, shape, flat, batch);
  expect(measure).toBeLessThan(1e-4);
  expect(compared).toBe(8);
});

test('a model that knows the size of its batch is compared on all of it', async () => {
  const fixed: Model = { ...model, loss: (p, b) => model.loss(p, { ...b, x: b.x.reshape([examples, 6]) }) };
  const { flat, ...shape } = await initialParameters(fixed, 1);
  const program = new GradientProgram(await openBackend('native'), fixed, shape);
  expect((await selfCheck(program, fixed, shape, flat, batch)).examples).toBe(examples);
});

test.each([
  [0, /the loss differs by 1\.00 of its norm/],
  [3, /the gradient of "out\/w" differs by 1\.00 of its norm/],
])('a wrong output %i stops the run with its measure', async (output, message) => {
  const { flat, ...shape } = await initialParameters(model, 1);
  const program = new GradientProgram(broken(await openBackend('native'), output), model, shape);
  await expect(selfCheck(program, model, shape, flat, batch)).rejects.toThrow(message);
});

test('a short batch padded with weights has the gradient of the short batch', async () => {
  const { flat, ...shape } = await initialParameters(model, 1);
  const program = new GradientProgram(await openBackend('native'), model, shape);
  const short = {
    x: { shape: [5, 6], data: batch.x.data.subarray(0, 30) },
    label: { shape: [5], data: batch.label.data.subarray(0, 5) },
  };
  const padded = padBatch(short, examples);
  expect(padded.x.shape).toEqual([examples, 6]);
  const [plain, weighted] = [new Float32Array(flat.length), new Float32Array(flat.length)];
  const loss = await program.run(flat, short, plain);
  expect(await program.run(flat, padded, weighted)).toBeCloseTo(loss, 5);
  plain.forEach((value, index) => {
    expect(weighted[index]).toBeCloseTo(value, 5);
  });
});
