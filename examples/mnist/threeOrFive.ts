import { numpy as np } from '@jax-js/jax';
import {
  adam,
  binaryCrossEntropyWithLogits,
  type DataSource,
  defineJob,
  inMemory,
  lbfgs,
  momentum,
  newton,
  newtonCg,
  sgd,
  split,
} from 'tributary';
import { digits } from './digits.ts';

const side = 28;
const block = 4;
const coarse = side / block;

/** Pictures of 3 and 5 from 28 x 28 down to 7 x 7, each point the mean of 16. x: float32[49], y: float32, 1 for a five. */
const threesAndFives: DataSource<'x' | 'y'> = {
  description: 'the digits 3 and 5',
  async open() {
    const all = await digits.open();
    const { x, y } = await all.read(Uint32Array.from({ length: all.size }, (_, index) => index));
    const chosen = Array.from(y.data, (digit, index) => ({ digit, index })).filter(
      ({ digit }) => digit === 3 || digit === 5,
    );
    const rows = chosen.map(({ index }) =>
      coarsened(x.data.subarray(index * side * side, (index + 1) * side * side)),
    );
    return inMemory({ x: rows, y: Float32Array.from(chosen, ({ digit }) => (digit === 5 ? 1 : 0)) }).open();
  },
};

function coarsened(picture: Float32Array | Int32Array): number[] {
  const sums = new Array<number>(coarse * coarse).fill(0);
  picture.forEach((grey, place) => {
    const row = Math.floor(place / side / block);
    const column = Math.floor((place % side) / block);
    sums[row * coarse + column] += grey / block ** 2;
  });
  return sums;
}

const methods = {
  newton: newton(),
  'newton-cg': newtonCg(),
  lbfgs: lbfgs(),
  sgd: sgd({ learningRate: 1 }),
  momentum: momentum({ learningRate: 0.5 }),
  adam: adam({ learningRate: 0.05 }),
};

type Parameters = { readonly w: np.Array; readonly b: np.Array };
const names = Object.keys(methods) as [keyof typeof methods, ...(keyof typeof methods)[]];

/** Logistic regression, 50 parameters and a convex loss, by a method of choice; every step sees all of the data. */
export default defineJob({ method: names }, ({ method }) => {
  const logits = ({ w, b }: Parameters, x: np.Array) => np.dot(x, w).add(b);
  return {
    name: 'three-or-five',
    model: {
      init: () => ({ w: np.zeros([coarse * coarse]), b: np.zeros([]) }),
      loss: ({ w, b }: Parameters, { x, y }) =>
        binaryCrossEntropyWithLogits(logits({ w: w.ref, b }, x), y).add(np.sum(np.square(w)).mul(1e-3)),
      accuracy: (parameters: Parameters, { x, y }) =>
        np.mean(np.greater(logits(parameters, x), 0).astype(np.float32).equal(y).astype(np.float32)),
      predict: (parameters: Parameters, { x }) => np.greater(logits(parameters, x), 0),
    },
    data: split(threesAndFives, { test: 0.2 }),
    optimizer: methods[method],
    sampling: 'full',
    steps: 10,
  };
});
