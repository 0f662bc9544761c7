import { numpy as np } from '@jax-js/jax';
import {
  gaussNewtonVectorProduct,
  hessian,
  hessianVectorProduct,
} from '@tributary/worker/autodiff/secondOrder.ts';
import { createBuffer } from '@tributary/worker/compute/checkBuffers.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import type { BatchArrays, ParameterTree } from '@tributary/worker/job/Model.ts';
import { binaryCrossEntropyWithLogits, meanSquaredError } from '@tributary/worker/nn/losses.ts';
import { describe, expect, test } from 'vitest';
import { normal } from '../compute/oracle/inputs.ts';

type Logistic = { w: np.Array; b: np.Array };
const features = 5;
const rows = 12;
const logits = (parameters: ParameterTree, { x }: BatchArrays) => {
  const { w, b } = parameters as Logistic;
  return np.dot(x, w).add(b);
};
const loss = (parameters: ParameterTree, batch: BatchArrays) =>
  binaryCrossEntropyWithLogits(logits(parameters, batch), batch.y);
const [w, b, x, v, vb] = [normal(features), normal(), normal(rows, features), normal(features), normal()];
const y = {
  shape: [rows],
  dtype: 'float32' as const,
  data: Float32Array.from({ length: rows }, (_, k) => k % 2),
};

/** X~' D X~ / n with X~ = [x, 1] and D = p (1 - p): the Hessian of logistic regression. */
function analyticHessian(): number[][] {
  const result = Array.from({ length: features + 1 }, () => new Array<number>(features + 1).fill(0));
  for (let row = 0; row < rows; row++) {
    const xs = [...x.data.subarray(row * features, (row + 1) * features), 1];
    const z = xs.reduce((sum, value, k) => sum + value * (k < features ? w.data[k] : b.data[0]), 0);
    const p = 1 / (1 + Math.exp(-z));
    for (let i = 0; i <= features; i++) {
      for (let j = 0; j <= features; j++) result[i][j] += (xs[i] * xs[j] * p * (1 - p)) / rows;
    }
  }
  return result;
}
const times = (matrix: number[][]) => {
  const vector = [...v.data, vb.data[0]];
  return matrix.map((row) => row.reduce((sum, value, k) => sum + value * vector[k], 0));
};

describe.each(['native', 'reference'] as const)('%s', async (name) => {
  const backend = await openBackend(name);
  const compute = async (fn: (...inputs: np.Array[]) => np.Array[]) => {
    const inputs = [w, b, x, y, v, vb];
    const program = await backend.compile(fn, inputs);
    const outputs = program.outputs.map(createBuffer);
    await program.run(
      inputs.map(({ data }) => data),
      outputs,
    );
    return outputs.flatMap((output) => Array.from(output));
  };
  const expectClose = (found: number[], expected: number[]) => {
    expect(found.length).toBe(expected.length);
    expected.forEach((value, index) => {
      expect(found[index]).toBeCloseTo(value, 5);
    });
  };

  test('the Hessian of logistic regression is the analytic one', async () => {
    const found = await compute((pw, pb, px, py) => [hessian(loss, { w: pw, b: pb }, { x: px, y: py })]);
    expectClose(found, analyticHessian().flat());
  });

  test('Hessian-vector products do not form it, and agree', async () => {
    const found = await compute((pw, pb, px, py, pv, pvb) => {
      const product = hessianVectorProduct(
        loss,
        { w: pw, b: pb },
        { x: px, y: py },
        { w: pv, b: pvb },
      ) as Logistic;
      return [product.w, product.b];
    });
    expectClose(found, times(analyticHessian()));
  });

  test('for a model that is linear, Gauss-Newton is the Hessian', async () => {
    const found = await compute((pw, pb, px, py, pv, pvb) => {
      const outputLoss = (z: np.Array, batch: BatchArrays) => binaryCrossEntropyWithLogits(z, batch.y);
      const parameters = { w: pw, b: pb };
      const product = gaussNewtonVectorProduct(
        logits,
        outputLoss,
        parameters,
        { x: px, y: py },
        { w: pv, b: pvb },
      );
      return [(product as Logistic).w, (product as Logistic).b];
    });
    expectClose(found, times(analyticHessian()));
  });

  test('for a model that is not, it leaves out the curvature of the model', async () => {
    // y = tanh(x w + b) under squared error: G = 2/n sum of (1 - tanh^2)^2 x x'.
    const found = await compute((pw, pb, px, py, pv, pvb) => {
      const outputs = (p: ParameterTree, batch: BatchArrays) => np.tanh(logits(p, batch));
      const outputLoss = (z: np.Array, batch: BatchArrays) => meanSquaredError(z, batch.y);
      const product = gaussNewtonVectorProduct(
        outputs,
        outputLoss,
        { w: pw, b: pb },
        { x: px, y: py },
        { w: pv, b: pvb },
      );
      return [(product as Logistic).w, (product as Logistic).b];
    });
    const matrix = Array.from({ length: features + 1 }, () => new Array<number>(features + 1).fill(0));
    for (let row = 0; row < rows; row++) {
      const xs = [...x.data.subarray(row * features, (row + 1) * features), 1];
      const z = xs.reduce((sum, value, k) => sum + value * (k < features ? w.data[k] : b.data[0]), 0);
      const slope = 1 - Math.tanh(z) ** 2;
      for (let i = 0; i <= features; i++) {
        for (let j = 0; j <= features; j++) matrix[i][j] += (2 / rows) * slope ** 2 * xs[i] * xs[j];
      }
    }
    expectClose(found, times(matrix));
  });
});
