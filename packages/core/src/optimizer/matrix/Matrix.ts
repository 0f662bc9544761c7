/**
 * Small dense matrices in float64, row by row, for the methods that look at a tensor as a matrix. Sums go in a fixed order: the bits are the same on every machine.
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
  return { rows, columns, values: new Float64Array(values) };
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j];
  return { rows: columns, columns: rows, values: result };
}
