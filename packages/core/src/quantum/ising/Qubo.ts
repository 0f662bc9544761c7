/**
 * Quadratic unconstrained binary optimization: find the bits x that make x . matrix x + offset least.
 * `matrix` is symmetric, size x size, row by row; as x^2 = x its diagonal holds the linear terms.
 */
export interface Qubo {
  readonly size: number;
  readonly matrix: Float64Array;
  offset: number;
}

export function createQubo(size: number): Qubo {
  return { size, matrix: new Float64Array(size * size), offset: 0 };
}

export function quboValue({ size, matrix, offset }: Qubo, x: Uint8Array): number {
  let value = offset;
  for (let u = 0; u < size; u++) {
    if (x[u] === 0) continue;
    for (let v = 0; v < size; v++) value += matrix[u * size + v] * x[v];
  }
  return value;
}
