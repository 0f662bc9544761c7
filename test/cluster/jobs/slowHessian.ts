import { numpy as np } from '@jax-js/jax';
import { defineJob, inMemory, newton } from 'tributary';

/** Logistic regression of so many classes and features that a Hessian takes long: there is a middle of it. */
const examples = 4000;
const features = 120;
const classes = 10;

const wave = (index: number) => (Math.sin(index * 12.9898) * 43758.5453) % 1;
const points = Float32Array.from({ length: examples * features }, (_, index) => wave(index));
const labels = Int32Array.from({ length: examples }, (_, row) => row % classes);

export default defineJob({
  model: {
    init: () => ({ w: np.zeros([features, classes]) }),
    loss({ w }: { w: np.Array }, { x, y }) {
      const logits = np.matmul(x, w);
      const target = np.equal(y.reshape([-1, 1]), np.arange(classes)).astype(np.float32);
      const exponentials = np.exp(logits.ref);
      return np.mean(np.log(exponentials.sum(-1)).sub(logits.mul(target).sum(-1)));
    },
  },
  data: { train: inMemory({ x: { data: points, shape: [examples, features] }, y: labels }) },
  optimizer: newton(),
  sampling: 'full',
  ranks: 2,
  steps: 200,
});
