import { type numpy as np, random } from '@jax-js/jax';
import { type Affine, conv2d, dense, initialConv2d, initialDense, maxPool2d, relu } from 'tributary';
import type { Network } from './Network.ts';

type Parameters = {
  readonly conv1: Affine;
  readonly conv2: Affine;
  readonly dense1: Affine;
  readonly dense2: Affine;
};

/** Two convolutions of 3 x 3, each halved by max pooling, and two dense layers. */
export const cnn: Network = {
  init(key): Parameters {
    const [key1, key2, key3, key4] = random.split(key, 4);
    return {
      conv1: initialConv2d(key1, 1, 16, 3),
      conv2: initialConv2d(key2, 16, 32, 3),
      dense1: initialDense(key3, 32 * 7 * 7, 128),
      dense2: initialDense(key4, 128, 10),
    };
  },
  logits({ conv1, conv2, dense1, dense2 }: Parameters, x) {
    const images = x.reshape([-1, 1, 28, 28]);
    const halved = maxPool2d(relu(conv2d(conv1, images)), 2);
    const quartered: np.Array = maxPool2d(relu(conv2d(conv2, halved)), 2);
    return dense(dense2, relu(dense(dense1, quartered.reshape([-1, 32 * 7 * 7]))));
  },
};
