import { norm } from '../norm.ts';
import { type Matrix, transposed } from './Matrix.ts';
import { multiply } from './multiply.ts';

/** Sweeps of Jacobi's method; it converges quadratically, and some eight do for any size. */
const sweepsMax = 30;

/** The eigenvectors of a symmetric matrix as columns, largest eigenvalue first, by Jacobi's rotations (Golub & Van Loan, Matrix Computations, 4th ed., 8.5). */
export function eigenvectors({ rows: size, values }: Matrix): Matrix {
  const a = values.slice();
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  let total = 0;
  for (const value of a) total += value * value;
  for (let sweep = 0; sweep < sweepsMax; sweep++) {
    let rest = 0;
    for (let p = 0; p < size; p++) for (let q = 0; q < p; q++) rest += a[p * size + q] ** 2;
    if (rest <= total * 1e-30) break;
    for (let p = 0; p < size - 1; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q);
  }
  const order = Array.from({ length: size }, (_, index) => index).sort(
    (p, q) => a[q * size + q] - a[p * size + p] || p - q,
  );
  const sorted = new Float64Array(size * size);
  for (const [to, from] of order.entries())
    for (let i = 0; i < size; i++) sorted[i * size + to] = vectors[i * size + from];
  return { rows: size, columns: size, values: sorted };
}

/** Makes element (p, q) zero. */
function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const off = a[p * size + q];
  if (off === 0) return;
  const theta = (a[q * size + q] - a[p * size + p]) / (2 * off);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(t * t + 1);
  const sine = t * cosine;
  for (let k = 0; k < size; k++) {
    const [x, y] = [a[k * size + p], a[k * size + q]];
    a[k * size + p] = cosine * x - sine * y;
    a[k * size + q] = sine * x + cosine * y;
  }
  for (let k = 0; k < size; k++) {
    const [x, y] = [a[p * size + k], a[q * size + k]];
    a[p * size + k] = cosine * x - sine * y;
    a[q * size + k] = sine * x + cosine * y;
    const [v, w] = [vectors[k * size + p], vectors[k * size + q]];
    vectors[k * size + p] = cosine * v - sine * w;
    vectors[k * size + q] = sine * v + cosine * w;
  }
}

/** One power iteration of all eigenvectors at once: the orthonormal basis of A Q, by Gram-Schmidt done twice. What of it vanishes stays as it was. */
export function followEigenvectors(a: Matrix, basis: Matrix): Matrix {
  const { rows: size } = a;
  // Rows are vectors here, so that inner products run along them.
  const before = transposed(basis).values;
  const vectors = transposed(multiply(a, basis)).values;
  const row = (of: Float64Array, index: number) => of.subarray(index * size, (index + 1) * size);
  for (let i = 0; i < size; i++) {
    const vector = row(vectors, i);
    const begun = norm(vector);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) subtractProjection(vector, row(vectors, j));
    }
    let size2 = norm(vector);
    if (!(size2 > begun * 1e-10)) {
      vector.set(row(before, i));
      for (let pass = 0; pass < 2; pass++) {
        for (let j = 0; j < i; j++) subtractProjection(vector, row(vectors, j));
      }
      size2 = norm(vector);
    }
    for (let k = 0; k < size; k++) vector[k] /= size2;
  }
  return transposed({ rows: size, columns: size, values: vectors });
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  let along = 0;
  for (let index = 0; index < vector.length; index++) along += vector[index] * unit[index];
  for (let index = 0; index < vector.length; index++) vector[index] -= along * unit[index];
}
