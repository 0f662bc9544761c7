import { nn, numpy as np, random } from '@jax-js/jax';
import type { Network } from './Network.ts';

const hidden = 256;

type Parameters = {
  readonly w1: np.Array;
  readonly b1: np.Array;
  readonly w2: np.Array;
  readonly b2: np.Array;
};

/** One hidden layer: 784 pixels, 256 units, 10 classes. Written out in jax-js alone. */
export const mlp: Network = {
  init(key): Parameters {
    const [key1, key2] = random.split(key);
    return {
      w1: random.normal(key1, [784, hidden]).mul(Math.sqrt(2 / 784)),
      b1: np.zeros([hidden]),
      w2: random.normal(key2, [hidden, 10]).mul(Math.sqrt(2 / hidden)),
      b2: np.zeros([10]),
    };
  },
  logits({ w1, b1, w2, b2 }: Parameters, x) {
    const h = nn.relu(np.matmul(x, w1).add(b1));
    return np.matmul(h, w2).add(b2);
  },
};
