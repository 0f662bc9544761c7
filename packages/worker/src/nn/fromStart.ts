import { numpy as np } from '@jax-js/jax';

/** The indices, of which a negative one is moved out of the range of an array of `count`: it would count from the end, and -1 as a label be the last class. */
export function fromStart(indices: np.Array, count: number): np.Array {
  return np.where(indices.ref.less(0), np.minimum(indices.ref, -count - 1), indices);
}
