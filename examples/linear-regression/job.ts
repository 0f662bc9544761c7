import { numpy as np } from '@jax-js/jax';
import { defineJob, inMemory, sgd } from 'tributary';
import { x, y } from './data.ts';

/** A straight line through 100 points by gradient descent: every step sees all points, so a step is an epoch. */
export default defineJob({
  model: {
    // The article draws these two from a standard normal distribution; fixed, so that the result can be compared.
    init: () => ({ w: np.array(-0.3691818379424436), b: np.array(-0.2393791775759264) }),
    loss: ({ w, b }, { x, y }) => np.mean(np.square(x.mul(w).add(b).sub(y))),
    predict: ({ w, b }, { x }) => x.mul(w).add(b),
  },
  data: { train: inMemory({ x, y }) },
  optimizer: sgd({ learningRate: 0.01 }),
  sampling: 'full',
  epochs: 1000,
  printEverySteps: 100,
});
