import { nn, numpy as np, random } from '@jax-js/jax';
import { initialParameters } from '@tributary/worker/autodiff/initialParameters.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import type { BatchArrays, Model, ParameterTree } from '@tributary/worker/job/Model.ts';
import { expect, test } from 'vitest';

type Linear = { w: np.Array; b: np.Array };
const define = <P extends ParameterTree, B extends BatchArrays>(model: Model<P, B>) =>
  model as unknown as Model;

/** Squared error of y = x w + b: gradients in closed form. */
const linear = define<Linear, { x: np.Array; y: np.Array }>({
  init: (key) => ({ w: random.normal(key, [3]), b: np.array(0.5) }),
  loss: ({ w, b }, { x, y }) => np.square(np.dot(x, w).add(b).sub(y)).mean(),
  accuracy: ({ w, b }, { x, y }) =>
    np.dot(x, w).add(b).greater(0).equal(y.greater(0)).astype(np.float32).mean(),
  predict: ({ w, b }, { x }) => np.dot(x, w).add(b),
});
const batch = {
  x: { shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)) },
  y: { shape: [4], data: Float32Array.of(1, -1, 2, 0.5) },
};

async function open(model: Model) {
  const { flat, ...shape } = await initialParameters(model, 1);
  const program = new GradientProgram(await openBackend('reference'), model, shape);
  return { flat, program, shape };
}

test('loss and gradient agree with the closed form and land in the flat vector', async () => {
  const { flat, program } = await open(linear);
  const gradient = new Float32Array(flat.length).fill(99);
  const loss = await program.run(flat, batch, gradient);
  let expectedLoss = 0;
  const expected = [0, 0, 0, 0];
  for (let row = 0; row < 4; row++) {
    const x = batch.x.data.subarray(3 * row, 3 * row + 3);
    const error = x[0] * flat[0] + x[1] * flat[1] + x[2] * flat[2] + flat[3] - batch.y.data[row];
    expectedLoss += error ** 2 / 4;
    for (let k = 0; k < 3; k++) expected[k] += (error * x[k]) / 2;
    expected[3] += error / 2;
  }
  expect(loss).toBeCloseTo(expectedLoss, 5);
  expected.forEach((value, k) => {
    expect(gradient[k]).toBeCloseTo(value, 5);
  });
});

test('evaluates and predicts', async () => {
  const { flat, program } = await open(linear);
  const { shape, data } = await program.predict(flat, { x: batch.x });
  expect(shape).toEqual([4]);
  const right = Array.from(data).filter((value, row) => value > 0 === batch.y.data[row] > 0).length / 4;
  const { loss, accuracy } = await program.evaluate(flat, batch);
  expect(accuracy).toBeCloseTo(right, 6);
  expect(loss).toBeCloseTo(await program.run(flat, batch, new Float32Array(4)), 6);
});

test.each<[string, Model, RegExp]>([
  ['a loss that is no scalar', { ...linear, loss: (_, b) => b.y }, /loss has the shape \[4\]/],
  ['an integer loss', { ...linear, loss: (_, b) => b.y.astype(np.int32).sum() }, /loss has the type int32/],
  [
    'shapes that do not fit',
    { ...linear, loss: (p, b) => np.dot(b.y, (p as unknown as Linear).w) },
    /cannot compute its gradient for a batch of x: float32 \[4, 3\], y: float32 \[4\]/,
  ],
  [
    'a field that the batch lacks',
    { ...linear, loss: (_, b) => b.label.sum() },
    /batch of x: float32 \[4, 3\]/,
  ],
  ['an array used twice', { ...linear, loss: (_, b) => b.y.mul(b.y).sum() }, /uses an array twice/],
])('refuses %s', async (_, model, message) => {
  const { flat, program } = await open(model);
  await expect(program.run(flat, batch, new Float32Array(4))).rejects.toThrow(message);
});

test('refuses to predict with a model that cannot', async () => {
  const { init, loss } = linear;
  const { flat, program } = await open({ init, loss });
  await expect(program.predict(flat, batch)).rejects.toThrow(/no predict function/);
});

test('a model of nested parameters and integer labels', async () => {
  const model = define<{ layers: Linear[] }, { x: np.Array; label: np.Array }>({
    init: (key) => ({ layers: [{ w: random.normal(key, [3, 2]), b: np.zeros([2]) }] }),
    loss: ({ layers: [{ w, b }] }, { x, label }) =>
      nn
        .logSoftmax(np.dot(x, w).add(b))
        .mul(nn.oneHot(label, 2))
        .sum()
        .mul(-1 / 4),
  });
  const { flat, program } = await open(model);
  const gradient = new Float32Array(flat.length);
  await program.run(flat, { x: batch.x, label: { shape: [4], data: Int32Array.of(0, 1, 1, 0) } }, gradient);
  // The gradient with respect to the biases of a softmax sums to 0.
  expect(gradient[6] + gradient[7]).toBeCloseTo(0, 6);
  expect(Math.abs(gradient[6])).toBeGreaterThan(1e-3);
});

test.each<[string, () => np.Array]>([
  ['a number', () => np.array(Math.random())],
  ['an array', () => np.array([Math.random(), 1]).sum()],
])('refuses a model that draws %s of its own', async (_, draw) => {
  const model: Model = { ...linear, loss: (p, b) => linear.loss(p, b).mul(draw()) };
  const { flat, program } = await open(model);
  await expect(program.run(flat, batch, new Float32Array(4))).rejects.toThrow(
    /the model's gradient does something else on its second call/,
  );
});
