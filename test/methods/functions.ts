import { readFileSync } from 'node:fs';
import type { TestFunction } from './functionContext.ts';

interface NewtonGolden {
  readonly rows: number[][];
  readonly labels: number[];
  readonly l2: number;
  readonly loss_after_iteration: number[];
  readonly final_weights: number[];
}

/** Newton's method on the logistic regression of the fixture, by NumPy in float64. */
export const golden: NewtonGolden = JSON.parse(
  readFileSync(new URL('../fixtures/golden/newton-logistic.json', import.meta.url), 'utf8'),
);

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
};

/** mean log(1 + exp(-s x w)) + l2 / 2 |w|^2 over the fixture's rows, with its derivatives written out. */
export const logistic: TestFunction = {
  loss(w) {
    const { rows, labels, l2 } = golden;
    const losses = rows.map((x, row) => Math.log1p(Math.exp(labels[row] === 1 ? -dot(x, w) : dot(x, w))));
    return losses.reduce((sum, value) => sum + value, 0) / rows.length + (l2 / 2) * dot(w, w);
  },
  gradient(w) {
    const { rows, labels, l2 } = golden;
    const sum = Array.from(w, () => 0);
    rows.forEach((x, row) => {
      const error = 1 / (1 + Math.exp(-dot(x, w))) - labels[row];
      x.forEach((value, k) => {
        sum[k] += value * error;
      });
    });
    return sum.map((value, k) => value / rows.length + l2 * w[k]);
  },
  hessian(w) {
    const { rows, l2 } = golden;
    const sum = Array.from(w, () => Array.from(w, () => 0));
    for (const x of rows) {
      const p = 1 / (1 + Math.exp(-dot(x, w)));
      for (let i = 0; i < x.length; i++)
        for (let j = 0; j < x.length; j++) sum[i][j] += x[i] * x[j] * p * (1 - p);
    }
    return sum.map((row, i) => row.map((value, j) => value / rows.length + (i === j ? l2 : 0)));
  },
};

/** (1 - x)^2 + 100 (y - x^2)^2, minimum 0 at (1, 1). */
export const rosenbrock: TestFunction = {
  loss: ({ 0: x, 1: y }) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
  gradient: ({ 0: x, 1: y }) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
  hessian: ({ 0: x, 1: y }) => [
    [2 - 400 * (y - 3 * x * x), -400 * x],
    [-400 * x, 200],
  ],
};

/** x^4 / 4 - x^2 / 2 + y^2 / 2: a saddle at (0, 0), minima -1/4 at (+-1, 0). */
export const saddle: TestFunction = {
  loss: ({ 0: x, 1: y }) => x ** 4 / 4 - x ** 2 / 2 + y ** 2 / 2,
  gradient: ({ 0: x, 1: y }) => [x ** 3 - x, y],
  hessian: ({ 0: x }) => [
    [3 * x * x - 1, 0],
    [0, 1],
  ],
};

/** The sum over i of rosenbrock(x_i, x_i+1). Its Hessian is not needed. */
export const rosenbrockChain: TestFunction = {
  loss: (x) => pairsOf(x).reduce((sum, pair) => sum + rosenbrock.loss(pair), 0),
  gradient(x) {
    const sum = Array.from(x, () => 0);
    pairsOf(x).forEach((pair, index) => {
      const [a, b] = rosenbrock.gradient(pair);
      sum[index] += a;
      sum[index + 1] += b;
    });
    return sum;
  },
  hessian: () => [],
};

function pairsOf(x: ArrayLike<number>): [number, number][] {
  return Array.from({ length: x.length - 1 }, (_, index) => [x[index], x[index + 1]]);
}
