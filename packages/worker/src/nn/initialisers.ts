import { numpy as np, random } from '@jax-js/jax';

/** Makes a weight from a key. Shapes are [in, out] for dense layers and [out, in, height, width] for convolutions. */
export type Initialiser = (key: np.Array, shape: number[]) => np.Array;

/** Keeps the variance of activations through relu layers (He et al., 2015). */
export const heNormal: Initialiser = (key, shape) =>
  scaledNormal(key, shape, Math.sqrt(2 / fans(shape).input));

/** Balances the variance of activations and of gradients (Glorot and Bengio, 2010). */
export const glorotNormal: Initialiser = (key, shape) => {
  const { input, output } = fans(shape);
  return scaledNormal(key, shape, Math.sqrt(2 / (input + output)));
};

/** The same variance as `glorotNormal`, uniform. */
export const glorotUniform: Initialiser = (key, shape) => {
  const { input, output } = fans(shape);
  const bound = Math.sqrt(6 / (input + output));
  return random
    .uniform(key, shape)
    .mul(2 * bound)
    .sub(bound);
};

/** Variance 1 / inputs (LeCun et al., 1998): for tanh and self-normalising layers. */
export const lecunNormal: Initialiser = (key, shape) =>
  scaledNormal(key, shape, Math.sqrt(1 / fans(shape).input));

/** Normal with the given standard deviation. */
export function normal(deviation: number): Initialiser {
  return (key, shape) => scaledNormal(key, shape, deviation);
}

/**
 * A matrix with orthonormal rows or columns, whichever are fewer (Saxe et al., 2014): the orthogonal factor of a normal matrix's polar
 * decomposition, which is uniformly distributed. Found by Newton-Schulz iteration, X <- (3 X - X X' X) / 2, which drives every singular value to 1.
 * A kernel of more axes is one matrix of its first axis against the rest.
 */
export const orthogonal: Initialiser = (key, shape) => {
  const rows = shape[0];
  const columns = shape.slice(1).reduce((product, size) => product * size, 1);
  const wide = rows <= columns;
  // The largest singular value of such a matrix is below this but for a vanishing chance.
  const bound = 1.2 * (Math.sqrt(rows) + Math.sqrt(columns));
  let x = scaledNormal(key, wide ? [rows, columns] : [columns, rows], 1 / bound);
  for (let iteration = 0; iteration < newtonSchulzIterations; iteration++) {
    const gram = np.matmul(x.ref, np.matrixTranspose(x.ref));
    x = x.ref.mul(1.5).sub(np.matmul(gram, x).mul(0.5));
  }
  return (wide ? x : np.matrixTranspose(x)).reshape(shape);
};

/** A singular value grows by 1.5 each time until it is near 1: this reaches 1 from 1e-6, and converges quadratically then. */
const newtonSchulzIterations = 40;

function scaledNormal(key: np.Array, shape: number[], deviation: number): np.Array {
  return random.normal(key, shape).mul(deviation);
}

/** How many inputs an output of the layer has, and how many outputs an input. */
function fans(shape: readonly number[]): { input: number; output: number } {
  if (shape.length < 2) return { input: shape[0] ?? 1, output: shape[0] ?? 1 };
  if (shape.length === 2) return { input: shape[0], output: shape[1] };
  const field = shape.slice(2).reduce((product, size) => product * size, 1);
  return { input: shape[1] * field, output: shape[0] * field };
}
