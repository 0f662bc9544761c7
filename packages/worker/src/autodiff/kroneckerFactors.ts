import { grad, numpy as np, random } from '@jax-js/jax';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { BatchArrays, ParameterTree } from '../job/Model.ts';
import { observingDense } from '../nn/denseUse.ts';
import type { DenseLayer } from './denseLayers.ts';
import { flattenTree, unflattenTree } from './parameterTree.ts';
import type { Outputs } from './secondOrder.ts';

/*
 * K-FAC takes the block of the Fisher matrix of one dense layer for a Kronecker product: A = E[a a'] of the layer's inputs (with a 1 for the bias), G = E[g g'] of the
 * gradient at its outputs, where targets are drawn from what the model itself predicts (Martens & Grosse, 2015, section 2 and 3). The model is run twice: once to
 * see the inputs of its layers and draw targets, once to be differentiated by a zero that is added to the outputs of each layer.
 */

/** What the outputs of a model mean: logits of one class of many along the last axis, or the means of normal distributions of variance 1/2, as the squared error takes them. */
export type Prediction = 'classes' | 'numbers';

/** How many numbers `kroneckerFactors` gives: A [inputs + 1, inputs + 1], then G [outputs, outputs], layer by layer. */
export function factorsLength(layers: readonly DenseLayer[]): number {
  return layers.reduce((sum, { inputs, outputs }) => sum + (inputs + 1) ** 2 + outputs ** 2, 0);
}

/** The factors of all layers end to end, means over the examples of the batch. Consumes its arguments. */
export function kroneckerFactors(
  outputs: Outputs,
  layers: readonly DenseLayer[],
  prediction: Prediction,
  parameters: ParameterTree,
  batch: BatchArrays,
  key: np.Array,
): np.Array {
  const { leaves, structure, names } = flattenTree(parameters);
  const weightOf = new Map(layers.map((layer, index) => [leaves[names.indexOf(layer.w.name)], index]));
  const run = () =>
    outputs(
      unflattenTree(
        structure,
        leaves.map((leaf) => leaf.ref),
      ),
      Object.fromEntries(Object.entries(batch).map(([field, array]) => [field, array.ref])),
    );

  const uses: { readonly layer: number; readonly rows: np.Array; readonly shape: number[] }[] = [];
  const z = observingDense((w, x, y) => {
    const layer = weightOf.get(w);
    if (layer !== undefined) uses.push({ layer, rows: x.ref.reshape([-1, x.shape.at(-1)!]), shape: y.shape });
    return y;
  }, run);
  const unused = layers.find((_, index) => !uses.some(({ layer }) => layer === index));
  if (unused !== undefined) throw notUsed(unused);
  const examples = z.shape[0];
  const cotangent = drawn(z, key, prediction);

  const atOutputs = (zeros: np.Array[]): np.Array => {
    let next = 0;
    const seen = observingDense((w, _x, y) => (weightOf.has(w) ? y.add(zeros[next++]) : y), run);
    return seen.mul(cotangent.ref).sum();
  };
  const gradients = (grad as unknown as (fn: typeof atOutputs) => (zeros: np.Array[]) => np.Array[])(
    atOutputs,
  )(uses.map(({ shape }) => np.zeros(shape)));
  cotangent.dispose();
  for (const leaf of leaves) leaf.dispose();
  for (const array of Object.values(batch)) array.dispose();

  const factors = layers.flatMap((_, index) => {
    const mine = uses.flatMap((use, place) =>
      use.layer === index ? [{ ...use, gradient: gradients[place] }] : [],
    );
    const a = np.concatenate(mine.map(({ rows }) => rows));
    const g = np.concatenate(mine.map(({ gradient, shape }) => gradient.reshape([-1, shape.at(-1)!])));
    const rows = a.shape[0];
    const withOne = np.concatenate([a, np.ones([rows, 1])], 1);
    // Rows of one example, as the places of a sequence, are taken for independent (Grosse & Martens, 2016): inputs add up, gradients are averaged.
    return [square(withOne, examples), square(g, rows)];
  });
  return np.concatenate(factors.map((factor) => factor.reshape([-1])));
}

/** m' m / count. */
function square(m: np.Array, count: number): np.Array {
  return np.matmul(np.matrixTranspose(m.ref), m).mul(1 / count);
}

/** The gradient of the negative log-likelihood at z of a target drawn from the prediction z, for each example: its covariance is the Fisher matrix of the outputs. */
function drawn(z: np.Array, key: np.Array, prediction: Prediction): np.Array {
  const unsigned = key.astype(np.uint32);
  if (prediction === 'numbers') return random.normal(unsigned, z.shape).mul(Math.SQRT2);
  const { shape } = z;
  // The largest of logits and Gumbel noise is at a class with the probability that the logits give it.
  const noise = np
    .log(
      np
        .log(
          random
            .uniform(unsigned, shape)
            .mul(1 - 2e-7)
            .add(1e-7),
        )
        .neg(),
    )
    .neg();
  const classes = shape.at(-1)!;
  const chosen = np.argmax(z.ref.add(noise), -1).reshape([...shape.slice(0, -1), 1]);
  const target = np.equal(chosen, np.arange(classes)).astype(np.float32);
  const shifted = z.ref.sub(np.max(z, -1, { keepdims: true }));
  const exponentials = np.exp(shifted);
  return exponentials.ref.div(exponentials.sum(-1, { keepdims: true })).sub(target);
}

function notUsed({ name }: DenseLayer): TributaryError {
  return new TributaryError('FAILED_PRECONDITION', `the model does not use "${name}" by dense()`, {
    hint: 'K-FAC sees the layers that go through dense({ w, b }, x) of tributary; name other tensors otherwise than w and b.',
  });
}
