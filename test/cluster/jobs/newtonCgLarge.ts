import { numpy as np, random } from '@jax-js/jax';
import { defineJob, inMemory, meanSquaredError, newtonCg } from 'tributary';

/* A network of a million parameters, whose Hessian would have 10^12 elements, on few examples: what counts is that no Hessian is formed. */
const [examples, features, hidden, outputs] = [64, 512, 1600, 128];
const wave = (index: number) => Math.sin(index * 12.9898 + Math.sin(index * 78.233));

export default defineJob({
  name: 'newton-cg-large',
  model: {
    init(key) {
      const [first, second] = random.split(key);
      return {
        w1: random.normal(first, [features, hidden]).mul(0.04),
        b1: np.zeros([hidden]),
        w2: random.normal(second, [hidden, outputs]).mul(0.02),
        b2: np.zeros([outputs]),
      };
    },
    loss({ w1, b1, w2, b2 }, { x, y }) {
      const h = np.tanh(np.matmul(x, w1).add(b1));
      return meanSquaredError(np.matmul(h, w2).add(b2), y);
    },
  },
  data: {
    train: inMemory({
      x: {
        data: Float32Array.from({ length: examples * features }, (_, k) => wave(k)),
        shape: [examples, features],
      },
      y: {
        data: Float32Array.from({ length: examples * outputs }, (_, k) => wave(k + 0.5)),
        shape: [examples, outputs],
      },
    }),
  },
  optimizer: newtonCg({ iterations: 6, radius: 4 }),
  sampling: 'full',
  ranks: 4,
  steps: 5,
});
