import type { numpy as np } from '@jax-js/jax';
import type { ParameterTree } from 'tributary';

/** Ten numbers for each image, the largest at the digit that it most likely shows. */
export interface Network {
  init(key: np.Array): ParameterTree;
  /** `x`: images, float32[examples, 784]. The result: float32[examples, 10]. */
  logits(parameters: ParameterTree, x: np.Array): np.Array;
}
