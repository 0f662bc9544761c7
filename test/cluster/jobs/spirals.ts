import { numpy as np, random } from '@jax-js/jax';
import {
  type Affine,
  crossEntropy,
  defineJob,
  dense,
  initialDense,
  inMemory,
  kfac,
  newtonCg,
} from 'tributary';

/* Two spirals, which no linear model can tell apart: a small network, not convex in its weights. */
const examples = 200;
const angle = (row: number) => 0.3 + (row / examples) * 6;
const points = Float32Array.from({ length: 2 * examples }, (_, index) => {
  const row = index >> 1;
  const turn = angle(row) + (row % 2) * Math.PI;
  return (angle(row) / 6) * (index % 2 === 0 ? Math.cos(turn) : Math.sin(turn));
});

type Parameters = { hidden: Affine; out: Affine };

const logits = ({ hidden, out }: Parameters, x: np.Array) => dense(out, np.tanh(dense(hidden, x)));

export default defineJob(
  { method: ['newton-cg', 'kfac'], twoParts: ['equal', 'different', 'none'] },
  (options) => ({
    model: {
      init(key): Parameters {
        const [key1, key2] = random.split(key);
        return { hidden: initialDense(key1, 2, 24), out: initialDense(key2, 24, 2) };
      },
      loss: (parameters: Parameters, { x, y }) => crossEntropy(logits(parameters, x), y),
      ...(options.twoParts !== 'none' && {
        outputs: (parameters: Parameters, { x }: { x: np.Array }) => logits(parameters, x),
        outputLoss: (outputs: np.Array, { y }: { y: np.Array }) =>
          crossEntropy(outputs.mul(options.twoParts === 'equal' ? 1 : 2), y),
      }),
      accuracy: (parameters: Parameters, { x, y }) =>
        np.mean(np.argmax(logits(parameters, x), -1).equal(y).astype(np.float32)),
    },
    data: {
      train: inMemory({
        x: { data: points, shape: [examples, 2] },
        y: Int32Array.from({ length: examples }, (_, row) => row % 2),
      }),
    },
    optimizer:
      options.method === 'kfac' ? kfac({ learningRate: 1, damping: 1e-3 }) : newtonCg({ gaussNewton: true }),
    sampling: 'full',
    ranks: 4,
    steps: 40,
  }),
);
