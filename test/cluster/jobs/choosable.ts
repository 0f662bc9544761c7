import { numpy as np } from '@jax-js/jax';
import { defineJob, inMemory, sgd } from 'tributary';

type Parameters = { readonly w: np.Array };

/** Which of two numbers is learnt, and from where, is left open. */
export default defineJob({ target: ['three', 'five'], start: 0 }, ({ target, start }) => ({
  model: {
    init: () => ({ w: np.full([], start) }),
    loss: ({ w }: Parameters, { x }) => np.mean(np.square(w.sub(x))),
    predict: ({ w }: Parameters, { x }) => x.mul(0).add(w),
  },
  data: { train: inMemory({ x: target === 'five' ? [5, 5] : [3, 3] }) },
  optimizer: sgd({ learningRate: 0.1 }),
  ranks: 2,
  batchSize: 1,
  steps: 50,
}));
