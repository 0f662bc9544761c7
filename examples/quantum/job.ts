import { numpy as np, random } from '@jax-js/jax';
import {
  type Affine,
  accuracy,
  crossEntropy,
  defineJob,
  dense,
  initialDense,
  newtonCg,
  quantum,
  split,
} from 'tributary';
import { smallDigits } from './smallDigits.ts';

type Parameters = { readonly hidden?: Affine; readonly output: Affine };

const pixels = 7 * 7;
const units = 10;
/** Without a penalty on the weights the loss would have no minimum, as the digits can be told apart by planes. */
const l2 = 1e-2;

function logits({ hidden, output }: Parameters, x: np.Array): np.Array {
  return dense(output, hidden === undefined ? x : np.tanh(dense(hidden, x)));
}

function penalty({ hidden, output }: Parameters): np.Array {
  const squares = (w: np.Array) => w.ref.mul(w).sum();
  const sum = squares(output.w);
  return (hidden === undefined ? sum : sum.add(squares(hidden.w))).mul(l2 / 2);
}

/** Ten digits of 7 x 7 pixels by logistic regression or a small network, by quantum steps on a simulated quantum computer or, to compare, by Newton-CG. */
export default defineJob(
  { model: ['logistic', 'network'], method: ['annealing', 'qaoa', 'newton-cg'], 'per-class': 50 },
  ({ model, method, 'per-class': perClass }) => ({
    model: {
      init(key): Parameters {
        const [key1, key2] = random.split(key);
        if (model === 'logistic') return { output: initialDense(key1, pixels, 10) };
        return { hidden: initialDense(key1, pixels, units), output: initialDense(key2, units, 10) };
      },
      loss: (parameters: Parameters, { x, y }) =>
        crossEntropy(logits(borrowed(parameters), x), y).add(penalty(parameters)),
      accuracy: (parameters: Parameters, { x, y }) => accuracy(logits(parameters, x), y),
    },
    data: split(smallDigits({ classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], perClass, side: 7 }), { test: 0.2 }),
    optimizer:
      method === 'newton-cg'
        ? newtonCg()
        : method === 'qaoa'
          ? quantum({ solver: 'qaoa', blockSize: 4 })
          : quantum(),
    sampling: 'full',
    steps: 15,
    evaluateEverySteps: 5,
  }),
);

function borrowed({ hidden, output }: Parameters): Parameters {
  const ref = ({ w, b }: Affine) => ({ w: w.ref, b: b.ref });
  return hidden === undefined ? { output: ref(output) } : { hidden: ref(hidden), output: ref(output) };
}
