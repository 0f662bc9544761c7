import { numpy as np } from '@jax-js/jax';
import { defineJob, inMemory, sgd } from 'tributary';

/*
 * mean over 21 examples of sum_k c_k (w_k - y_k)^2 / 2. Its gradient is c (w - mean y), so gradient descent has a closed form. 21 examples on 4 ranks: the
 * ranks have unequal shares, which must count for what they are.
 */
export const curvatures = [0.2, 0.5, 1, 3.2];
export const learningRate = 0.5;
export const steps = 9;
export const start = 4;

const examples = 21;
const targets = Array.from({ length: examples }, (_, row) =>
  curvatures.map((_, k) => Math.sin(row * 3.7 + k) + k + (row === 0 ? 20 : 0)),
);
export const minimum = curvatures.map(
  (_, k) => targets.reduce((sum, row) => sum + Math.fround(row[k]), 0) / examples,
);

export default defineJob({
  name: 'quadratic',
  model: {
    init: () => ({ w: np.zeros([curvatures.length]).add(start) }),
    loss: ({ w }, { y }) => np.square(w.sub(y)).mul(np.array(curvatures)).sum(1).mean().mul(0.5),
  },
  data: { train: inMemory({ y: targets }) },
  optimizer: sgd({ learningRate }),
  sampling: 'full',
  ranks: 4,
  steps,
});
