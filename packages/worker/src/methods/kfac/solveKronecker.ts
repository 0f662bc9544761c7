import { factorise, solve } from '../linear/cholesky.ts';

/** The Fisher block of one dense layer, A (x) G, and the sides of the two matrices. */
export interface KroneckerBlock {
  /** [inputs + 1, inputs + 1], row by row. */
  readonly a: ArrayLike<number>;
  /** [outputs, outputs], row by row. */
  readonly g: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
}

/**
 * (A + pi sqrt(damping) I)^-1 M (G + sqrt(damping) / pi I)^-1 for M [rows, columns], row by row: the natural gradient of the layer, with damping shared out between
 * the factors by pi^2 = (tr A / rows) / (tr G / columns) (Martens & Grosse, 2015, section 6.3). Undefined if a damped factor is not positive definite.
 */
export function solveKronecker(
  { a, g, rows, columns }: KroneckerBlock,
  m: Float64Array,
  damping: number,
): Float64Array | undefined {
  const [meanA, meanG] = [trace(a, rows) / rows, trace(g, columns) / columns];
  const pi = meanA > 0 && meanG > 0 ? Math.sqrt(meanA / meanG) : 1;
  const root = Math.sqrt(damping);
  const left = damped(a, rows, root * pi);
  const right = damped(g, columns, root / pi);
  if (left === undefined || right === undefined) return undefined;
  // First the rows, which G works on, then the columns.
  const solved = new Float64Array(m.length);
  for (let row = 0; row < rows; row++) {
    solved.set(solve(right, m.subarray(row * columns, (row + 1) * columns)), row * columns);
  }
  const column = new Float64Array(rows);
  for (let at = 0; at < columns; at++) {
    for (let row = 0; row < rows; row++) column[row] = solved[row * columns + at];
    const done = solve(left, column);
    for (let row = 0; row < rows; row++) solved[row * columns + at] = done[row];
  }
  return solved;
}

function trace(matrix: ArrayLike<number>, size: number): number {
  let sum = 0;
  for (let row = 0; row < size; row++) sum += matrix[row * size + row];
  return sum;
}

/** The Cholesky factor of matrix + damping I; undefined if that is not positive definite, as when it is not finite. */
function damped(matrix: ArrayLike<number>, size: number, damping: number): Float64Array | undefined {
  const triangle = new Float64Array((size * (size + 1)) / 2);
  let at = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) triangle[at++] = matrix[row * size + column];
    triangle[at - 1] += damping;
  }
  return factorise(triangle, size) ? triangle : undefined;
}
