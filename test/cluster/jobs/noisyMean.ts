import { numpy as np } from '@jax-js/jax';
import { defineJob, inMemory, sgd } from 'tributary';

/*
 * The mean of points scattered evenly in a cube. The gradient at w is w - mean, and a single example's differs from it as its point does from the mean: of noise that is always
 * the same and a signal that dies away, so the noise scale grows.
 */
const [examples, features] = [256, 2500];
const wave = (index: number) => (Math.sin(index * 12.9898) * 43758.5453) % 1;

export default defineJob({
  name: 'noisy-mean',
  model: {
    init: () => ({ w: np.ones([features]) }),
    loss: ({ w }, { x }) => np.mean(np.square(w.sub(x)).sum(1)).mul(0.5),
  },
  data: {
    train: inMemory({
      x: {
        data: Float32Array.from({ length: examples * features }, (_, index) => wave(index)),
        shape: [examples, features],
      },
    }),
  },
  optimizer: sgd({ learningRate: 0.2 }),
  adaptiveBatch: { stepsMax: 6, memory: 0.8, rate: 'sqrt' },
  ranks: 4,
  batchSize: 2,
  steps: 300,
  checkpointEverySteps: 20,
});
