import { readFileSync } from 'node:fs';
import { numpy as np } from '@jax-js/jax';
import {
  binaryCrossEntropyWithLogits,
  defineJob,
  inMemory,
  lbfgs,
  newton,
  newtonCg,
  quantum,
} from 'tributary';

const { rows, labels, l2 } = JSON.parse(
  readFileSync(new URL('../../fixtures/golden/newton-logistic.json', import.meta.url), 'utf8'),
) as { rows: number[][]; labels: number[]; l2: number };

/** Of the columns, those in the middle have weights of their own. */
const [begin, end] = [10, 16];
const columns = (from: number, to: number) => rows.map((row) => row.slice(from, to));
const methods = {
  newton: newton(),
  'newton-cg': newtonCg(),
  lbfgs: lbfgs(),
  quantum: quantum({ solver: 'exact', blockSize: 5 }),
};

/** The logistic regression of the fixture, its middle weights frozen at 0; or the same model without these columns. */
export default defineJob(
  { method: ['newton', 'newton-cg', 'lbfgs', 'quantum'], frozen: true },
  ({ method, frozen }) => ({
    name: 'frozen-logistic',
    model: {
      init: () => ({
        a: np.zeros([begin]),
        ...(frozen && { b: np.zeros([end - begin]) }),
        c: np.zeros([31 - end]),
      }),
      loss({ a, b, c }: { a: np.Array; b?: np.Array; c: np.Array }, { left, middle, right, y }) {
        const parts = [np.dot(left, a.ref), np.dot(right, c.ref), ...(b ? [np.dot(middle, b.ref)] : [])];
        const squares = [a, c, ...(b ? [b] : [])].map((w) => np.square(w).sum());
        const sum = (terms: np.Array[]) => terms.reduce((total, term) => total.add(term));
        return binaryCrossEntropyWithLogits(sum(parts), y).add(sum(squares).mul(l2 / 2));
      },
    },
    data: {
      train: inMemory({
        left: columns(0, begin),
        middle: columns(begin, end),
        right: columns(end, 31),
        y: labels,
      }),
    },
    optimizer: methods[method as keyof typeof methods],
    ...(frozen && { tensors: [{ match: 'b', frozen: true }] }),
    sampling: 'full',
    steps: 8,
  }),
);
