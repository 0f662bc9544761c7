import { invariant } from '../../errors/invariant.ts';

/**
 * The direction (metric + damping I)^-1 gradient: steepest descent where length is measured by how far the state moves, not by how far the angles do. (Stokes, Izaac, Killoran
 * & Carleo, "Quantum natural gradient", 2020.) `metric` is symmetric positive semidefinite, n x n row by row; it is singular wherever an angle does nothing,
 * hence the damping, above 0. By Cholesky's factorisation.
 */
export function naturalGradient(metric: Float64Array, gradient: Float64Array, damping: number): Float64Array {
  const n = gradient.length;
  invariant(
    metric.length === n * n && damping > 0,
    `a metric of ${n} parameters with a damping of ${damping}`,
  );
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = metric[i * n + j] + (i === j ? damping : 0);
      for (let k = 0; k < j; k++) sum -= lower[i * n + k] * lower[j * n + k];
      invariant(i !== j || sum > 0, 'a metric has no negative eigenvalue');
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j];
    }
  }
  const solution = gradient.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) solution[i] -= lower[i * n + k] * solution[k];
    solution[i] /= lower[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) solution[i] -= lower[k * n + i] * solution[k];
    solution[i] /= lower[i * n + i];
  }
  return solution;
}
