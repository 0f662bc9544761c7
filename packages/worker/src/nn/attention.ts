import { numpy as np, random } from '@jax-js/jax';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { softmax } from './activations.ts';
import { glorotUniform } from './initialisers.ts';
import { type Affine, dense, initialDense } from './layers.ts';

export type AttentionParameters = { query: Affine; key: Affine; value: Affine; output: Affine };

export function initialAttention(key: np.Array, width: number): AttentionParameters {
  const keys = random.split(key, 4);
  const project = (index: number, from: np.Array) =>
    initialDense(from.slice(index), width, width, glorotUniform);
  return {
    query: project(0, keys.ref),
    key: project(1, keys.ref),
    value: project(2, keys.ref),
    output: project(3, keys),
  };
}

export interface AttentionOptions {
  readonly heads: number;
  /** Positions see only themselves and earlier ones. */
  readonly causal?: boolean;
}

/** Large enough that its exponential is 0, yet finite, so that no difference of two is NaN. */
const masked = -1e30;

/** Self-attention of sequences [examples, positions, width] by several heads (Vaswani et al., 2017). */
export function multiHeadAttention(
  parameters: AttentionParameters,
  x: np.Array,
  { heads, causal = false }: AttentionOptions,
): np.Array {
  const [examples, positions, width] = x.shape;
  if (width % heads !== 0) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `a width of ${width} cannot be shared out among ${heads} heads`,
      {
        hint: 'Choose a width that is a multiple of the heads.',
      },
    );
  }
  const headWidth = width / heads;
  const byHead = (projection: Affine, from: np.Array) =>
    dense(projection, from).reshape([examples, positions, heads, headWidth]).transpose([0, 2, 1, 3]);
  const query = byHead(parameters.query, x.ref);
  const key = byHead(parameters.key, x.ref);
  const value = byHead(parameters.value, x);
  const scores = np.matmul(query, key.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(headWidth));
  const visible = causal
    ? np.where(np.tri(positions, positions, 0, { dtype: np.bool }), scores, masked)
    : scores;
  const mixed = np
    .matmul(softmax(visible), value)
    .transpose([0, 2, 1, 3])
    .reshape([examples, positions, width]);
  return dense(parameters.output, mixed);
}
