import { lax, numpy as np, random } from '@jax-js/jax';
import { denseUse } from './denseUse.ts';
import { fromStart } from './fromStart.ts';
import { heNormal, type Initialiser, normal } from './initialisers.ts';

/** A weight and what is added to the result. */
export type Affine = { w: np.Array; b: np.Array };

/** Parameters of `dense`: w [inputs, outputs], b [outputs]. */
export function initialDense(
  key: np.Array,
  inputs: number,
  outputs: number,
  initialiser: Initialiser = heNormal,
): Affine {
  return { w: initialiser(key, [inputs, outputs]), b: np.zeros([outputs]) };
}

/** x w + b along the last axis of x. */
export function dense({ w, b }: Affine, x: np.Array): np.Array {
  return denseUse(w, x, (weight, input) => np.matmul(input, weight).add(b));
}

/** Parameters of `conv2d`: w [outputs, inputs, size, size], b [outputs]. */
export function initialConv2d(
  key: np.Array,
  inputs: number,
  outputs: number,
  size: number,
  initialiser: Initialiser = heNormal,
): Affine {
  return { w: initialiser(key, [outputs, inputs, size, size]), b: np.zeros([outputs]) };
}

export interface Conv2dOptions {
  readonly stride?: number;
  /** SAME keeps ceil(size / stride) pixels, with zeros around; VALID takes only whole windows. */
  readonly padding?: 'SAME' | 'VALID';
}

/** Convolution of images [examples, channels, height, width]. */
export function conv2d(
  { w, b }: Affine,
  x: np.Array,
  { stride = 1, padding = 'SAME' }: Conv2dOptions = {},
): np.Array {
  return lax.conv(x, w, [stride, stride], padding).add(b.reshape([b.size, 1, 1]));
}

/** The largest of each `size` by `size` window of images [examples, channels, height, width]; windows touch unless `stride` says otherwise. */
export function maxPool2d(x: np.Array, size: number, stride = size): np.Array {
  return lax.reduceWindow(x, np.max, [size, size], [stride, stride]);
}

/** The mean of each window. */
export function meanPool2d(x: np.Array, size: number, stride = size): np.Array {
  return lax.reduceWindow(x, np.mean, [size, size], [stride, stride]);
}

/** Parameters of `embedding`: one row of `width` numbers for each of `count` ids. */
export function initialEmbedding(
  key: np.Array,
  count: number,
  width: number,
  initialiser: Initialiser = normal(0.02),
): np.Array {
  return initialiser(key, [count, width]);
}

/** The rows of `table` for whole-number `ids` of any shape: [...ids, width]. An id that no row has stops the run with an error. */
export function embedding(table: np.Array, ids: np.Array): np.Array {
  return np.take(table, fromStart(ids, table.shape[0]), 0);
}

/**
 * 1 at the place of each of the whole-number `indices`, 0 elsewhere: float32 [...indices, count]. An index that is none of 0 ... count - 1 stops the run with an error: it is
 * looked up first.
 */
export function oneHot(indices: np.Array, count: number): np.Array {
  const places = np.arange(count);
  const { shape } = indices;
  const found = np.take(places.ref, fromStart(indices, count), 0);
  return np.equal(found.reshape([...shape, 1]), places).astype(np.float32);
}

/**
 * Sets each element to 0 with probability `rate` and scales the others, so that the mean stays (Srivastava et al., 2014). The key, two 32-bit
 * whole numbers, must be an input of the loss, a different one for each step: a model has no state of its own.
 */
export function dropout(key: np.Array, x: np.Array, rate: number): np.Array {
  const unsigned = String(key.dtype) === 'uint32' ? key : key.astype(np.uint32);
  const kept = random.bernoulli(unsigned, 1 - rate, x.shape);
  return np.where(kept, x.mul(1 / (1 - rate)), 0);
}
