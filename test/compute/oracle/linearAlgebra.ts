import type { Value } from './evaluateInFloat64.ts';

/** Applies `fn` to each matrix of a stack: `rows` and `columns` are those of `a`. */
function eachMatrix(a: Value, fn: (offset: number, rows: number, columns: number) => void): void {
  const [rows, columns] = a.shape.slice(-2);
  for (let offset = 0; offset < a.data.length; offset += rows * columns) fn(offset, rows, columns);
}

/** Lower L with A = L L'. */
export function cholesky(a: Value): Value {
  const l = new Float64Array(a.data.length);
  eachMatrix(a, (offset, n) => {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = a.data[offset + i * n + j];
        for (let k = 0; k < j; k++) sum -= l[offset + i * n + k] * l[offset + j * n + k];
        l[offset + i * n + j] = i === j ? Math.sqrt(sum) : sum / l[offset + j * n + j];
      }
    }
  });
  return { ...a, data: l };
}

/** X with A X' = B', A upper triangular. */
export function triangularSolve(a: Value, b: Value, unitDiagonal: boolean): Value {
  const x = Float64Array.from(b.data);
  const n = a.shape.at(-1)!;
  const rows = b.shape.at(-2)!;
  eachMatrix(b, (offset) => {
    const matrix = (offset / (rows * n)) * n * n;
    for (let row = 0; row < rows; row++) {
      for (let i = n - 1; i >= 0; i--) {
        let sum = x[offset + row * n + i];
        for (let j = i + 1; j < n; j++) sum -= a.data[matrix + i * n + j] * x[offset + row * n + j];
        x[offset + row * n + i] = unitDiagonal ? sum : sum / a.data[matrix + i * n + i];
      }
    }
  });
  return { ...b, data: x };
}

/** Both factors in one matrix, row exchanges, and the permutation that they make. */
export function lu(a: Value): Value[] {
  const m = Float64Array.from(a.data);
  const [rows, columns] = a.shape.slice(-2);
  const front = a.shape.slice(0, -2);
  const steps = Math.min(rows, columns);
  const pivots: number[] = [];
  const permutations: number[] = [];
  eachMatrix(a, (offset) => {
    const permutation = Array.from({ length: rows }, (_, row) => row);
    for (let k = 0; k < steps; k++) {
      let pivot = k;
      for (let i = k + 1; i < rows; i++) {
        if (Math.abs(m[offset + i * columns + k]) > Math.abs(m[offset + pivot * columns + k])) pivot = i;
      }
      pivots.push(pivot);
      [permutation[k], permutation[pivot]] = [permutation[pivot], permutation[k]];
      for (let j = 0; j < columns; j++) {
        const [x, y] = [offset + k * columns + j, offset + pivot * columns + j];
        [m[x], m[y]] = [m[y], m[x]];
      }
      for (let i = k + 1; i < rows; i++) {
        m[offset + i * columns + k] /= m[offset + k * columns + k];
        for (let j = k + 1; j < columns; j++) {
          m[offset + i * columns + j] -= m[offset + i * columns + k] * m[offset + k * columns + j];
        }
      }
    }
    permutations.push(...permutation);
  });
  return [
    { ...a, data: m },
    { shape: [...front, steps], type: 'int32', data: Float64Array.from(pivots) },
    { shape: [...front, rows], type: 'int32', data: Float64Array.from(permutations) },
  ];
}

/** The discrete Fourier transform along the last axis, from its definition. */
export function dft(real: Value, imaginary: Value, inverse: boolean): Value[] {
  const n = real.shape.at(-1)!;
  const [re, im] = [new Float64Array(real.data.length), new Float64Array(real.data.length)];
  for (let start = 0; start < re.length; start += n) {
    for (let k = 0; k < n; k++) {
      for (let j = 0; j < n; j++) {
        const angle = ((inverse ? 2 : -2) * Math.PI * j * k) / n;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        re[start + k] += (real.data[start + j] * c - imaginary.data[start + j] * s) / (inverse ? n : 1);
        im[start + k] += (real.data[start + j] * s + imaginary.data[start + j] * c) / (inverse ? n : 1);
      }
    }
  }
  return [
    { ...real, data: re },
    { ...imaginary, data: im },
  ];
}
