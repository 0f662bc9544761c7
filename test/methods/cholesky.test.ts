import { factorise, solve, solveShifted } from '@tributary/worker/methods/linear/cholesky.ts';
import { expect, test } from 'vitest';

const size = 40;
const root = Array.from({ length: size }, (_, i) =>
  Array.from({ length: size }, (_, j) => Math.sin(i * 7.3 + j * 1.9)),
);
/** R R' + I, lower triangle. */
const matrix = Float64Array.from(
  root.flatMap((row, i) =>
    root
      .slice(0, i + 1)
      .map((other, j) => row.reduce((sum, value, k) => sum + value * other[k], i === j ? 1 : 0)),
  ),
);
const at = (i: number, j: number) => matrix[i >= j ? (i * (i + 1)) / 2 + j : (j * (j + 1)) / 2 + i];

test('the solution of a system, by its residual', () => {
  const b = Array.from({ length: size }, (_, k) => Math.cos(k));
  const factor = matrix.slice();
  expect(factorise(factor, size)).toBe(true);
  const x = solve(factor, b);
  b.forEach((value, i) => {
    expect(x.reduce((sum, xj, j) => sum + at(i, j) * xj, 0)).toBeCloseTo(value, 10);
  });
});

test('indefinite and singular matrices have no factor; a shift makes them definite, and a definite one gets none', () => {
  const indefinite = Float64Array.of(1, 2, 1);
  const singular = Float64Array.of(1, 1, 1);
  for (const broken of [indefinite, singular]) {
    expect(factorise(broken.slice(), 2)).toBe(false);
    const { x, shift } = solveShifted(broken, 0, [1, 0])!;
    const [a, b, c] = broken;
    expect(shift).toBeGreaterThan(0);
    expect((a + shift) * x[0] + b * x[1]).toBeCloseTo(1, 9);
    expect(b * x[0] + (c + shift) * x[1]).toBeCloseTo(0, 9);
  }
  expect(solveShifted(matrix, 0, new Array(size).fill(1))!.shift).toBe(0);
  expect(solveShifted(Float64Array.of(0), 0, [1])!.shift).toBeGreaterThan(0);
  expect(solveShifted(Float64Array.of(Number.NaN), 0, [1])).toBeUndefined();
});
