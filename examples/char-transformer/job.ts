import { numpy as np } from '@jax-js/jax';
import { accuracy, adamw, cosine, crossEntropy, defineJob } from 'tributary';
import { alphabet, testWindows, trainingWindows } from './text.ts';
import { initialTransformer, nextCharacters, type Size, type Transformer } from './transformer.ts';

const steps = 600;

/** A small transformer that learns to go on with a text, character by character. */
export default defineJob({ width: 64, blocks: 2 }, ({ width, blocks }) => {
  const size: Size = { characters: alphabet.length, positions: 64, width, heads: 4, blocks };
  const logits = (parameters: Transformer, x: np.Array) => nextCharacters(parameters, x, size);
  return {
    model: {
      init: (key) => initialTransformer(key, size),
      loss: (parameters: Transformer, { x, y }) => crossEntropy(logits(parameters, x), y),
      accuracy: (parameters: Transformer, { x, y }) => accuracy(logits(parameters, x), y),
      predict: (parameters: Transformer, { x }) => np.argmax(logits(parameters, x), -1),
    },
    data: { train: trainingWindows(size.positions), test: testWindows(size.positions) },
    optimizer: adamw({ learningRate: 3e-3, weightDecay: 0.1 }),
    schedule: cosine({ steps, warmupSteps: Math.floor(steps / 20) }),
    clipping: { norm: 1 },
    batchSize: 8,
    steps,
    evaluateEverySteps: 100,
  };
});
