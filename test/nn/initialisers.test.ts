import { numpy as np, random } from '@jax-js/jax';
import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import {
  glorotNormal,
  glorotUniform,
  heNormal,
  lecunNormal,
  orthogonal,
} from '@tributary/worker/nn/initialisers.ts';
import { beforeAll, expect, test } from 'vitest';

beforeAll(initialiseJax);

test.each([
  ['heNormal', heNormal, [300, 200], 2 / 300],
  ['heNormal of a convolution', heNormal, [32, 16, 3, 3], 2 / (16 * 9)],
  ['glorotNormal', glorotNormal, [300, 200], 2 / 500],
  ['glorotUniform', glorotUniform, [300, 200], 2 / 500],
  ['lecunNormal', lecunNormal, [300, 200], 1 / 300],
])('%s has the variance that its paper gives', async (_, initialiser, shape, variance) => {
  const values = (await initialiser(random.key(3), shape).data()) as Float32Array;
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const measured = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  // Five standard errors of a variance estimated from this many values.
  expect(Math.abs(measured / variance - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
  expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(variance / values.length));
});

test.each([
  [64, 64],
  [40, 90],
  [90, 40],
])('orthogonal of [%i, %i] has orthonormal rows or columns', async (rows, columns) => {
  const w = orthogonal(random.key(5), [rows, columns]);
  const gram = rows <= columns ? np.matmul(w.ref, w.transpose()) : np.matmul(w.ref.transpose(), w);
  const n = Math.min(rows, columns);
  const error = (await gram.sub(np.eye(n)).data()) as Float32Array;
  expect(error.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0)).toBeLessThan(2e-5);
});
