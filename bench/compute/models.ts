import { numpy as np, random } from '@jax-js/jax';
import { hessian, hessianVectorProduct } from '@tributary/worker/autodiff/secondOrder.ts';
import type { ArraySpec, Buffer } from '@tributary/worker/compute/ComputeBackend.ts';
import type { BatchArrays, Model, ParameterTree } from '@tributary/worker/job/Model.ts';
import { gelu, relu } from '@tributary/worker/nn/activations.ts';
import {
  type AttentionParameters,
  initialAttention,
  multiHeadAttention,
} from '@tributary/worker/nn/attention.ts';
import { normal } from '@tributary/worker/nn/initialisers.ts';
import {
  type Affine,
  conv2d,
  dense,
  embedding,
  initialConv2d,
  initialDense,
  initialEmbedding,
  maxPool2d,
} from '@tributary/worker/nn/layers.ts';
import { binaryCrossEntropyWithLogits, crossEntropy, meanSquaredError } from '@tributary/worker/nn/losses.ts';
import { initialNormalisation, layerNorm, type ScaleAndOffset } from '@tributary/worker/nn/normalisation.ts';

/** A batch as flat arrays, with shapes. */
export type Fields = Readonly<Record<string, ArraySpec & { readonly data: Buffer }>>;

export interface BenchCase {
  /** The same name in peer.py. */
  readonly name: string;
  readonly model: Model;
  readonly fields: Fields;
  /** Parameters whose gradient is wanted as rows. */
  readonly sparse?: readonly string[];
  /** Instead of the gradient. */
  readonly task?: 'hessian' | 'hessianVector';
}

const define = <P extends ParameterTree, B extends BatchArrays>(model: Model<P, B>) =>
  model as unknown as Model;

function floats(...shape: number[]): ArraySpec & { data: Buffer } {
  const length = shape.reduce((product, size) => product * size, 1);
  return {
    shape,
    dtype: 'float32',
    data: Float32Array.from({ length }, (_, index) => Math.sin(1.3 * index * index)),
  };
}

function labels(below: number, ...shape: number[]): ArraySpec & { data: Buffer } {
  const length = shape.reduce((product, size) => product * size, 1);
  return {
    shape,
    dtype: 'int32',
    data: Int32Array.from({ length }, (_, index) => (index * 7919 + 13) % below),
  };
}

function perceptron(name: string, sizes: readonly number[], examples: number): BenchCase {
  const model = define<{ layers: Affine[] }, { x: np.Array; label: np.Array }>({
    init: (key) => {
      const keys = random.split(key, sizes.length);
      return {
        layers: sizes.slice(1).map((size, index) => initialDense(keys.ref.slice(index), sizes[index], size)),
      };
    },
    loss: ({ layers }, { x, label }) => {
      const logits = layers.reduce((h, layer, index) => dense(layer, index === 0 ? h : relu(h)), x);
      return crossEntropy(logits, label);
    },
  });
  return { name, model, fields: { x: floats(examples, sizes[0]), label: labels(10, examples) } };
}

function convolutional(name: string, pooled: boolean): BenchCase {
  const examples = 64;
  const layer = (parameters: Affine, x: np.Array) => {
    const features = relu(conv2d(parameters, x, { stride: pooled ? 1 : 2 }));
    return pooled ? maxPool2d(features, 2) : features;
  };
  const model = define<{ conv1: Affine; conv2: Affine; out: Affine }, { x: np.Array; label: np.Array }>({
    init: (key) => {
      const keys = random.split(key, 3);
      return {
        conv1: initialConv2d(keys.ref.slice(0), 1, 16, 3),
        conv2: initialConv2d(keys.ref.slice(1), 16, 32, 3),
        out: initialDense(keys.slice(2), 32 * 49, 10),
      };
    },
    loss: ({ conv1, conv2, out }, { x, label }) =>
      crossEntropy(dense(out, layer(conv2, layer(conv1, x)).reshape([examples, -1])), label),
  });
  return { name, model, fields: { x: floats(examples, 1, 28, 28), label: labels(10, examples) } };
}

type Linear = { w: np.Array; b: np.Array };
function logistic(name: string, examples: number, features: number, task?: BenchCase['task']): BenchCase {
  const model = define<Linear, { x: np.Array; y: np.Array }>({
    init: (key) => ({ w: random.normal(key, [features]).mul(0.1), b: np.zeros([]) }),
    loss: ({ w, b }, { x, y }) => binaryCrossEntropyWithLogits(np.dot(x, w).add(b), y),
  });
  const y = { ...floats(examples), data: Float32Array.from({ length: examples }, (_, index) => index % 2) };
  return { name, model, fields: { x: floats(examples, features), y }, ...(task && { task }) };
}

type Factors = { user: np.Array; item: np.Array; userBias: np.Array; itemBias: np.Array };
function factorisation(): BenchCase {
  const [users, items, width, examples] = [20_000, 10_000, 64, 4096];
  const model = define<Factors, { item: np.Array; rating: np.Array; user: np.Array }>({
    init: (key) => {
      const keys = random.split(key, 2);
      return {
        user: initialEmbedding(keys.ref.slice(0), users, width, normal(0.1)),
        item: initialEmbedding(keys.slice(1), items, width, normal(0.1)),
        userBias: np.zeros([users]),
        itemBias: np.zeros([items]),
      };
    },
    loss: (tables, { user, item, rating }) => {
      const products = embedding(tables.user, user.ref).mul(embedding(tables.item, item.ref)).sum(-1);
      const biases = np.take(tables.userBias, user, 0).add(np.take(tables.itemBias, item, 0));
      return meanSquaredError(products.add(biases), rating);
    },
  });
  const fields = { user: labels(users, examples), item: labels(items, examples), rating: floats(examples) };
  return { name: 'factorisation', model, fields, sparse: ['user', 'item', 'userBias', 'itemBias'] };
}

type Transformer = {
  tokens: np.Array;
  positions: np.Array;
  norm1: ScaleAndOffset;
  attention: AttentionParameters;
  norm2: ScaleAndOffset;
  up: Affine;
  down: Affine;
  out: np.Array;
};
function transformer(): BenchCase {
  const [examples, length, width, heads, vocabulary] = [8, 64, 128, 4, 512];
  const model = define<Transformer, { next: np.Array; token: np.Array }>({
    init: (key) => {
      const keys = random.split(key, 6);
      return {
        tokens: initialEmbedding(keys.ref.slice(0), vocabulary, width),
        positions: initialEmbedding(keys.ref.slice(1), length, width),
        norm1: initialNormalisation(width),
        attention: initialAttention(keys.ref.slice(2), width),
        norm2: initialNormalisation(width),
        up: initialDense(keys.ref.slice(3), width, 4 * width),
        down: initialDense(keys.ref.slice(4), 4 * width, width),
        out: normal(0.02)(keys.slice(5), [width, vocabulary]),
      };
    },
    loss: (p, { token, next }) => {
      const x = embedding(p.tokens, token).add(p.positions);
      const attended = x.ref.add(
        multiHeadAttention(p.attention, layerNorm(p.norm1, x), { heads, causal: true }),
      );
      const y = attended.ref.add(dense(p.down, gelu(dense(p.up, layerNorm(p.norm2, attended)))));
      return crossEntropy(np.matmul(y, p.out), next);
    },
  });
  return {
    name: 'transformer',
    model,
    fields: { token: labels(vocabulary, examples, length), next: labels(vocabulary, examples, length) },
  };
}

export const benchCases: readonly BenchCase[] = [
  perceptron('mlp', [784, 256, 10], 128),
  perceptron('mlpDeep', [784, 512, 512, 10], 256),
  convolutional('cnnMaxPool', true),
  convolutional('cnnStride', false),
  logistic('logistic', 4096, 256),
  factorisation(),
  transformer(),
  logistic('hessian', 1000, 49, 'hessian'),
  logistic('hessianVector', 1000, 49, 'hessianVector'),
];

/** The task of a case over [parameter leaves..., fields by name..., and for a product the vector's leaves]. */
export function secondOrderFunction({ model, task }: BenchCase) {
  const loss = model.loss as (parameters: ParameterTree, batch: BatchArrays) => np.Array;
  return (w: np.Array, b: np.Array, x: np.Array, y: np.Array, ...vector: np.Array[]): np.Array[] => {
    if (task === 'hessian') return [hessian(loss, { w, b }, { x, y })];
    const product = hessianVectorProduct(loss, { w, b }, { x, y }, { w: vector[0], b: vector[1] }) as Linear;
    return [product.w, product.b];
  };
}
