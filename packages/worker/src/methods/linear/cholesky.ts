/*
 * Symmetric matrices of some thousand rows in plain float64 code. The lower triangle lies row by row (element (i, j), j <= i, at i (i + 1) / 2 + j), so that
 * the inner products of the factorisation run over two contiguous rows.
 */

/** A pivot below this part of the largest diagonal element counts as zero: a few hundred times the rounding of float64. */
const pivotLeast = 1e-13;

/** A = L L': overwrites the lower triangle with L, and returns true; false, with `matrix` half overwritten, if A is not positive definite. */
export function factorise(matrix: Float64Array, size: number): boolean {
  let largest = 0;
  for (let i = 0; i < size; i++) largest = Math.max(largest, matrix[rowBegin(i) + i]);
  for (let i = 0; i < size; i++) {
    const row = rowBegin(i);
    for (let j = 0; j < i; j++) {
      const other = rowBegin(j);
      let sum = matrix[row + j];
      for (let k = 0; k < j; k++) sum -= matrix[row + k] * matrix[other + k];
      matrix[row + j] = sum / matrix[other + j];
    }
    let pivot = matrix[row + i];
    for (let k = 0; k < i; k++) pivot -= matrix[row + k] * matrix[row + k];
    if (!(pivot > largest * pivotLeast)) return false;
    matrix[row + i] = Math.sqrt(pivot);
  }
  return true;
}

/** The solution of L L' x = b. */
export function solve(factor: Float64Array, b: ArrayLike<number>): Float64Array {
  const size = b.length;
  const x = Float64Array.from(b);
  for (let i = 0; i < size; i++) {
    const row = rowBegin(i);
    for (let k = 0; k < i; k++) x[i] -= factor[row + k] * x[k];
    x[i] /= factor[row + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    const row = rowBegin(i);
    x[i] /= factor[row + i];
    for (let k = 0; k < i; k++) x[k] -= factor[row + k] * x[i];
  }
  return x;
}

/**
 * Solves (A + (damping + shift) I) x = b with the least shift of a doubling sequence that makes the matrix positive definite: 0 if A + damping I is.
 * Nocedal & Wright, Numerical Optimization, 2nd edition, algorithm 3.3. Undefined if A is not finite.
 */
export function solveShifted(
  matrix: Float64Array,
  damping: number,
  b: ArrayLike<number>,
): { readonly x: Float64Array; readonly shift: number } | undefined {
  const size = b.length;
  let least = Number.POSITIVE_INFINITY;
  let scale = 0;
  for (let i = 0; i < size; i++) {
    const value = matrix[rowBegin(i) + i];
    least = Math.min(least, value);
    scale = Math.max(scale, Math.abs(value));
  }
  if (!matrix.every(Number.isFinite)) return undefined;
  const smallest = 1e-3 * (scale || 1);
  const factor = new Float64Array(matrix.length);
  for (let shift = least > 0 ? 0 : smallest - least; ; shift = Math.max(2 * shift, smallest)) {
    factor.set(matrix);
    for (let i = 0; i < size; i++) factor[rowBegin(i) + i] += damping + shift;
    if (factorise(factor, size)) return { x: solve(factor, b), shift };
  }
}

function rowBegin(row: number): number {
  return (row * (row + 1)) / 2;
}
