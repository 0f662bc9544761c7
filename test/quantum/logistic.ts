import { readFileSync } from 'node:fs';
import type { QuadraticModel } from '@tributary/core/quantum/ising/QuadraticModel.ts';

const file = new URL('../fixtures/golden/newton-logistic.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as {
  rows: number[][];
  labels: number[];
  l2: number;
  loss_after_iteration: number[];
};
const { rows, labels, l2 } = golden;

/** Of the Wisconsin breast cancer data: 30 features and a constant. */
export const weightCount = rows[0].length;
/** The loss at which Newton's method stops. */
export const newtonLoss = golden.loss_after_iteration.at(-1) as number;

/** Mean cross entropy plus l2 |weights|^2 / 2. */
export function logisticLoss(weights: Float64Array): number {
  let loss = 0;
  rows.forEach((row, i) => {
    const logit = dot(row, weights);
    loss += Math.log1p(Math.exp(-Math.abs(logit))) + Math.max(logit, 0) - labels[i] * logit;
  });
  return loss / rows.length + (l2 / 2) * dot(weights, weights);
}

/** Gradient and Hessian over the weights begin ... end - 1. */
export function blockModel(weights: Float64Array, begin: number, end: number): QuadraticModel {
  const n = end - begin;
  const gradient = new Float64Array(n);
  const curvature = new Float64Array(n * n);
  rows.forEach((row, r) => {
    const probability = 1 / (1 + Math.exp(-dot(row, weights)));
    const spread = probability * (1 - probability);
    for (let i = 0; i < n; i++) {
      gradient[i] += ((probability - labels[r]) * row[begin + i]) / rows.length;
      for (let j = 0; j < n; j++) {
        curvature[i * n + j] += (spread * row[begin + i] * row[begin + j]) / rows.length;
      }
    }
  });
  for (let i = 0; i < n; i++) {
    gradient[i] += l2 * weights[begin + i];
    curvature[i * n + i] += l2;
  }
  return { gradient, curvature };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
