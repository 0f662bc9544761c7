/**
 * Small dense matrices in float64, row by row, for the methods that look at a tensor as a matrix. Plain loops in a fixed order: the bits are the same on every
 * machine. They cost what n^3 costs in plain code, some GFlop a second.
 */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** A tensor as a matrix: the first dimension by all others. Undefined if it has fewer than two dimensions, or one of the sides is 1: that is a vector. */
export function matrixSides(shape: readonly number[]): { rows: number; columns: number } | undefined {
  if (shape.length < 2) return undefined;
  const [rows, ...others] = shape;
  const columns = others.reduce((product, dimension) => product * dimension, 1);
  return rows > 1 && columns > 1 ? { rows, columns } : undefined;
}

export function matrix(rows: number, columns: number, values: ArrayLike<number>): Matrix {
  return { rows, columns, values: Float64Array.from(values) };
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j];
  return { rows: columns, columns: rows, values: result };
}

/** A B. Four rows of B are added at once, so that the row of the result is read and written a quarter as often. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const { rows, columns: inner, values: left } = a;
  const { columns, values: right } = b;
  const result = new Float64Array(rows * columns);
  const whole = inner - (inner % 4);
  for (let i = 0; i < rows; i++) {
    const to = i * columns;
    const from = i * inner;
    for (let k = 0; k < whole; k += 4) {
      const [f0, f1, f2, f3] = [left[from + k], left[from + k + 1], left[from + k + 2], left[from + k + 3]];
      const b0 = k * columns;
      const [b1, b2, b3] = [b0 + columns, b0 + 2 * columns, b0 + 3 * columns];
      for (let j = 0; j < columns; j++) {
        result[to + j] += f0 * right[b0 + j] + f1 * right[b1 + j] + (f2 * right[b2 + j] + f3 * right[b3 + j]);
      }
    }
    for (let k = whole; k < inner; k++) {
      const factor = left[from + k];
      for (let j = 0; j < columns; j++) result[to + j] += factor * right[k * columns + j];
    }
  }
  return { rows, columns, values: result };
}

/** A A': symmetric to the last bit, since both halves are the same sums. */
export function gram(a: Matrix): Matrix {
  return multiply(a, transposed(a));
}
