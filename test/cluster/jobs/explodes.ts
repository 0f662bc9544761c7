import { numpy as np } from '@jax-js/jax';
import { defineJob, inMemory, sgd } from 'tributary';

/** One example in 64 is a negative number, whose square root is no number: its rank meets it once an epoch. */
const examples = 64;

export default defineJob({
  model: {
    init: () => ({ w: np.ones([4]) }),
    loss: ({ w }, { x }) => np.mean(np.sqrt(x).mul(np.sum(w))),
  },
  data: {
    train: inMemory({ x: Float32Array.from({ length: examples }, (_, index) => (index === 40 ? -1 : 1)) }),
  },
  optimizer: sgd({ learningRate: 1e-3 }),
  ranks: 4,
  batchSize: 4,
  steps: 20,
  rejectedMax: 2,
  checkpointEverySteps: 1,
});
