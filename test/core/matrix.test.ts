import { readFileSync } from 'node:fs';
import { eigenvectors, followEigenvectors } from '@tributary/core/optimizer/matrix/eigenvectors.ts';
import { type Matrix, matrix, matrixSides, transposed } from '@tributary/core/optimizer/matrix/Matrix.ts';
import { gram, multiply, multiplyPlain } from '@tributary/core/optimizer/matrix/multiply.ts';
import { orthogonalise } from '@tributary/core/optimizer/matrix/orthogonalise.ts';
import { expect, test } from 'vitest';
import { compileKernels, multiplyModuleFile } from '../../scripts/kernels.ts';
import { randomVector } from './randomVector.ts';

/** Elements between -1 and 1, and singular values over some orders of magnitude. */
const random = (seed: number, rows: number, columns: number) =>
  matrix(
    rows,
    columns,
    randomVector(seed, rows * columns).map((value) => Math.tanh(value)),
  );

/** The greatest element of A - B. */
const distance = (a: Matrix, b: Matrix) =>
  Math.max(...a.values.map((value, index) => Math.abs(value - b.values[index])));
const identity = (size: number) =>
  matrix(
    size,
    size,
    Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0)),
  );
const diagonal = ({ values, rows }: Matrix) =>
  Array.from({ length: rows }, (_, index) => values[index * (rows + 1)]);
const offDiagonal = ({ values, rows }: Matrix) =>
  Math.max(...values.map((value, index) => (index % (rows + 1) === 0 ? 0 : Math.abs(value))));

test('tensors as matrices: the first dimension by the others, and vectors are none', () => {
  expect(matrixSides([4, 2, 3])).toEqual({ rows: 4, columns: 6 });
  for (const shape of [[], [5], [1, 5], [5, 1], [0, 4]]) expect(matrixSides(shape)).toBeUndefined();
});

test('products are those of the definition', () => {
  const [a, b] = [random(1, 3, 4), random(2, 4, 2)];
  const product = multiply(a, b);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 2; j++) {
      const sum = [0, 1, 2, 3].reduce((total, k) => total + a.values[i * 4 + k] * b.values[k * 2 + j], 0);
      expect(product.values[i * 2 + j]).toBeCloseTo(sum, 14);
    }
  }
  expect(distance(gram(a), multiply(a, transposed(a)))).toBeLessThan(1e-14);
});

test.each([
  [16, 16, 16],
  [33, 50, 17],
  [1, 4096, 3],
  [130, 7, 129],
  [64, 784, 128],
])('the kernel multiplies %i x %i by %i to the bits of the plain loops', (rows, inner, columns) => {
  const [a, b] = [random(7, rows, inner), random(8, inner, columns)];
  b.values[3] = -0;
  a.values[5] = 1e-320;
  expect(multiply(a, b)).toEqual(multiplyPlain(a, b));
  const squares = gram(a);
  expect(transposed(squares)).toEqual(squares);
  // Nothing is left of a larger product before.
  expect(multiply(b, transposed(b))).toEqual(multiplyPlain(b, transposed(b)));
});

test('the module of the kernel is what its source compiles to', () => {
  expect(readFileSync(multiplyModuleFile, 'utf8')).toBe(compileKernels('assembly/matrix/*.ts'));
});

test.each([1, 2, 7, 40])(
  'eigenvectors of a symmetric matrix of %i rows: orthonormal, diagonalising, largest first',
  (size) => {
    const a = gram(random(3, size, size + 2));
    const q = eigenvectors(a);
    expect(distance(multiply(transposed(q), q), identity(size))).toBeLessThan(1e-12);
    const turned = multiply(multiply(transposed(q), a), q);
    const values = diagonal(turned);
    expect(offDiagonal(turned)).toBeLessThan(1e-10 * values[0]);
    expect(values).toEqual(values.toSorted((x, y) => y - x));
  },
);

test('following: a basis that is near the eigenvectors comes nearer, one of a singular matrix stays orthonormal', () => {
  const a = gram(random(4, 10, 12));
  const near = gram(random(4, 10, 12));
  near.values.forEach((value, index) => {
    near.values[index] = value * (1 + 0.01 * Math.sin(index % 11) * Math.sin(Math.floor(index / 11)));
  });
  let q = eigenvectors(matrix(10, 10, gram(near).values));
  const error = (basis: Matrix) => offDiagonal(multiply(multiply(transposed(basis), a), basis));
  const before = error(q);
  for (let i = 0; i < 50; i++) q = followEigenvectors(a, q);
  expect(error(q)).toBeLessThan(before / 2);
  const followed = followEigenvectors(gram(random(5, 6, 2)), identity(6));
  expect(distance(multiply(transposed(followed), followed), identity(6))).toBeLessThan(1e-12);
});

test.each([
  [20, 30],
  [30, 20],
])('orthogonalised, %i x %i: singular values near 1 and the same singular vectors', (rows, columns) => {
  const a = random(6, rows, columns);
  const o = orthogonalise(a, 5);
  const side = rows < columns ? gram(o) : gram(transposed(o));
  for (const value of diagonal(
    multiply(multiply(transposed(eigenvectors(side)), side), eigenvectors(side)),
  )) {
    expect(Math.sqrt(value)).toBeGreaterThan(0.5);
    expect(Math.sqrt(value)).toBeLessThan(1.3);
  }
  // U f(S) V' has the singular vectors of U S V': then O A' is symmetric.
  const product = multiply(o, transposed(a));
  expect(distance(product, transposed(product))).toBeLessThan(1e-12);
});
