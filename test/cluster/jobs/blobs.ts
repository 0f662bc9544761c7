import { numpy as np, random } from '@jax-js/jax';
import { adam, defineJob, inMemory } from 'tributary';

/*
 * A small network on points around three centres: some 5,000 parameters, so that up to five servers have a shard of their own,
 * and steps of a millisecond. All numbers come from a sine, the same on every machine.
 */
const examples = 512;
const features = 16;
const hidden = 256;
const classes = 3;

const wave = (index: number) => (Math.sin(index * 12.9898) * 43758.5453) % 1;
const labels = Int32Array.from({ length: examples }, (_, row) => row % classes);
const points = Float32Array.from({ length: examples * features }, (_, index) => {
  const row = Math.floor(index / features);
  return wave(index) + Math.sin((row % classes) * 2.1 + (index % features));
});

type Parameters = { w1: np.Array; b1: np.Array; w2: np.Array; b2: np.Array };

const logits = ({ w1, b1, w2, b2 }: Parameters, x: np.Array) => {
  const h = np.matmul(x, w1).add(b1);
  return np.matmul(np.maximum(h, 0), w2).add(b2);
};

export default defineJob({
  name: 'blobs',
  model: {
    init(key): Parameters {
      const [key1, key2] = random.split(key);
      return {
        w1: random.normal(key1, [features, hidden]).mul(0.3),
        b1: np.zeros([hidden]),
        w2: random.normal(key2, [hidden, classes]).mul(0.1),
        b2: np.zeros([classes]),
      };
    },
    loss(parameters, { x, y }) {
      const target = np.equal(y.reshape([-1, 1]), np.arange(classes)).astype(np.float32);
      return np.mean(np.square(logits(parameters, x).sub(target)));
    },
    accuracy: (parameters, { x, y }) =>
      np.mean(np.argmax(logits(parameters, x), -1).equal(y).astype(np.float32)),
    predict: (parameters, { x }) => np.argmax(logits(parameters, x), -1),
  },
  data: { train: inMemory({ x: { data: points, shape: [examples, features] }, y: labels }) },
  optimizer: adam({ learningRate: 1e-2 }),
  clipping: { norm: 0.5 },
  batchSize: 8,
  steps: 60,
  checkpointEverySteps: 20,
});
