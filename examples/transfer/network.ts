import { type numpy as np, random } from '@jax-js/jax';
import {
  type Affine,
  accuracy,
  conv2d,
  crossEntropy,
  dense,
  initialConv2d,
  initialDense,
  type Model,
  maxPool2d,
  relu,
} from 'tributary';

export type Parameters = {
  readonly conv1: Affine;
  readonly conv2: Affine;
  readonly dense: Affine;
  readonly head: Affine;
};

/** Two convolutions, a dense layer, and a head that tells five classes apart. `x`: images, float32[examples, 784]. */
export function logits({ conv1, conv2, dense: hidden, head }: Parameters, x: np.Array): np.Array {
  const images = x.reshape([-1, 1, 28, 28]);
  const halved = maxPool2d(relu(conv2d(conv1, images)), 2);
  const quartered: np.Array = maxPool2d(relu(conv2d(conv2, halved)), 2);
  return dense(head, relu(dense(hidden, quartered.reshape([-1, 16 * 7 * 7]))));
}

export const model: Model<Parameters> = {
  init(key) {
    const [key1, key2, key3, key4] = random.split(key, 4);
    return {
      conv1: initialConv2d(key1, 1, 8, 5),
      conv2: initialConv2d(key2, 8, 16, 5),
      dense: initialDense(key3, 16 * 7 * 7, 64),
      head: initialDense(key4, 64, 5),
    };
  },
  loss: (parameters, { x, y }) => crossEntropy(logits(parameters, x), y),
  accuracy: (parameters, { x, y }) => accuracy(logits(parameters, x), y),
};
