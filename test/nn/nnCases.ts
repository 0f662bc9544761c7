import { numpy as np } from '@jax-js/jax';
import * as activations from '@tributary/worker/nn/activations.ts';
import { type AttentionParameters, multiHeadAttention } from '@tributary/worker/nn/attention.ts';
import { conv2d, dense, embedding, maxPool2d, meanPool2d, oneHot } from '@tributary/worker/nn/layers.ts';
import * as losses from '@tributary/worker/nn/losses.ts';
import { batchNorm, layerNorm } from '@tributary/worker/nn/normalisation.ts';
import { gru, lstm } from '@tributary/worker/nn/recurrent.ts';
import type { Case } from '../compute/oracle/checkCase.ts';
import { integers, normal, uniform } from '../compute/oracle/inputs.ts';

type Fn = Case['fn'];
const of = (fn: Fn, inputs: Case['inputs'], tolerance = 2e-5): Case => ({
  fn,
  inputs,
  gradient: true,
  tolerance,
});
const {
  relu,
  leakyRelu,
  sigmoid,
  logSigmoid,
  softplus,
  silu,
  gelu,
  geluExact,
  logSumExp,
  logSoftmax,
  softmax,
} = activations;

const attention = (x: np.Array, ...weights: np.Array[]) => {
  const names = ['query', 'key', 'value', 'output'];
  const parameters = Object.fromEntries(names.map((name, k) => [name, { w: weights[k], b: weights[k + 4] }]));
  return multiHeadAttention(parameters as AttentionParameters, x, { heads: 2, causal: true });
};
/** Logits that do not depend on the student's. */
const teacherOf = (z: np.Array) => np.cos(np.arange(z.size).astype(np.float32)).mul(3).reshape(z.shape);
const attentionInputs = [
  normal(2, 3, 4),
  ...Array.from({ length: 4 }, () => normal(4, 4)),
  ...Array.from({ length: 4 }, () => normal(4)),
];

/** The network functions, in value and gradient, each over its usual range. */
export const nnCases: Record<string, Case> = {
  relu: of(relu, [normal(20)]),
  leakyRelu: of((x) => leakyRelu(x, 0.1), [normal(20)]),
  sigmoid: of(sigmoid, [uniform(-8, 8, 20)]),
  logSigmoid: of(logSigmoid, [uniform(-8, 8, 20)]),
  softplus: of(softplus, [uniform(-8, 8, 20)]),
  silu: of(silu, [uniform(-8, 8, 20)]),
  gelu: of(gelu, [uniform(-8, 8, 20)]),
  geluExact: of(geluExact, [uniform(-6, 6, 20)], 1e-4),
  logSumExp: of((x) => logSumExp(x), [normal(4, 6)]),
  logSumExpFirstAxis: of((x) => logSumExp(x, 0), [normal(4, 6)]),
  logSoftmax: of((x) => logSoftmax(x), [normal(4, 6)]),
  softmax: of((x) => softmax(x, 0), [normal(4, 6)]),
  crossEntropy: of(losses.crossEntropy, [normal(6, 4), integers(4, 6)]),
  crossEntropyOfSequences: of(losses.crossEntropy, [normal(2, 3, 4), integers(4, 2, 3)]),
  distillation: of(
    (z, y) => losses.distillation(z, teacherOf(z), y, { temperature: 3, labelShare: 0.2 }),
    [normal(6, 4), integers(4, 6)],
  ),
  distillationWeighted: of(
    (z, y) => losses.distillation(z, teacherOf(z), y, { weights: np.array([1, 1, 0, 1, 0, 1]) }),
    [normal(6, 4), integers(4, 6)],
  ),
  meanSquaredError: of(losses.meanSquaredError, [normal(6, 2), normal(6, 2)]),
  huber: of((p, t) => losses.huber(p, t, 0.7), [normal(12), normal(12)]),
  binaryCrossEntropy: of(losses.binaryCrossEntropyWithLogits, [uniform(-5, 5, 12), uniform(0, 1, 12)]),
  dense: of((x, w, b) => dense({ w, b }, x), [normal(2, 3, 4), normal(4, 5), normal(5)]),
  conv2d: of((x, w, b) => conv2d({ w, b }, x), [normal(2, 2, 5, 5), normal(3, 2, 3, 3), normal(3)]),
  conv2dStride: of(
    (x, w, b) => conv2d({ w, b }, x, { stride: 2 }),
    [normal(2, 2, 6, 6), normal(3, 2, 3, 3), normal(3)],
  ),
  conv2dValid: of(
    (x, w, b) => conv2d({ w, b }, x, { padding: 'VALID' }),
    [normal(2, 2, 5, 5), normal(3, 2, 3, 3), normal(3)],
  ),
  maxPool2d: of((x) => maxPool2d(x, 2), [normal(2, 2, 6, 6)]),
  maxPoolOverlapping: of((x) => maxPool2d(x, 3, 2), [normal(1, 2, 7, 7)]),
  meanPool2d: of((x) => meanPool2d(x, 2), [normal(2, 2, 6, 6)]),
  embedding: of((table, ids) => embedding(table, ids), [normal(6, 3), integers(6, 2, 4)]),
  oneHot: { fn: (i) => oneHot(i, 7), inputs: [integers(7, 3, 4)], gradient: false, tolerance: 1e-7 },
  layerNorm: of(
    (x, scale, offset) => layerNorm({ scale, offset }, x),
    [normal(3, 6), normal(6), normal(6)],
    1e-4,
  ),
  batchNorm: of(
    (x, scale, offset) => batchNorm({ scale, offset }, x),
    [normal(5, 3), normal(3), normal(3)],
    1e-4,
  ),
  batchNormImages: of(
    (x, scale, offset) => batchNorm({ scale, offset }, x),
    [normal(2, 3, 3, 3), normal(3), normal(3)],
    1e-4,
  ),
  attention: of(attention, attentionInputs, 1e-4),
  lstm: of(
    (x, input, state, b) => lstm({ input, state, b }, x),
    [normal(2, 3, 3), normal(3, 8), normal(2, 8), normal(8)],
  ),
  gru: of(
    (x, input, state, b) => gru({ input, state, b }, x),
    [normal(2, 3, 3), normal(3, 6), normal(2, 6), normal(6)],
  ),
  accuracy: { ...of(losses.accuracy, [normal(9, 4), integers(4, 9)]), gradient: false },
  smallNetwork: of(
    (x, w1, b1, w2, b2, label) =>
      losses.crossEntropy(dense({ w: w2, b: b2 }, relu(dense({ w: w1, b: b1 }, x))), label),
    [normal(5, 4), normal(4, 6), normal(6), normal(6, 3), normal(3), integers(3, 5)],
  ),
  convolutionalNetwork: of(
    (x, k, b, w, label) => {
      const features = maxPool2d(relu(conv2d({ w: k, b }, x)), 2).reshape([2, -1]);
      return losses.crossEntropy(np.matmul(features, w), label);
    },
    [normal(2, 1, 4, 4), normal(3, 1, 3, 3), normal(3), normal(12, 3), integers(3, 2)],
  ),
};
