import { numpy as np } from '@jax-js/jax';
import { defineJob, inMemory, meanSquaredError, sgd } from 'tributary';

/** 22 numbers do not make whole steps of 2 ranks x 4: six are left, and each rank has three of them. */
export const numbers = Array.from({ length: 22 }, (_, index) => Math.sin(index * index));

export default defineJob(
  { lastBatch: ['short', 'padded'], heedsWeight: true },
  ({ lastBatch, heedsWeight }) => ({
    model: {
      init: () => ({ w: np.zeros([1]) }),
      loss: ({ w }: { w: np.Array }, { x, weight }) =>
        meanSquaredError(x.ref.mul(0).add(w), x, heedsWeight ? weight : undefined),
    },
    data: { train: inMemory({ x: numbers }) },
    optimizer: sgd({ learningRate: 0.2 }),
    ranks: 2,
    batchSize: 4,
    lastBatch,
    steps: 9,
  }),
);
