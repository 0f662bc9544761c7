import { norm } from '../norm.ts';
import { gram, type Matrix, multiply, transposed } from './Matrix.ts';

/** Keller Jordan's coefficients: the steepest at 0 for which singular values end near 1, between about 0.7 and 1.2. */
const [a, b, c] = [3.4445, -4.775, 2.0315];

/**
 * Nearly U V' of the singular value decomposition U S V' of a matrix, by Newton-Schulz iterations X <- a X + b (X X') X + c (X X')^2 X from X / |X|.
 * Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
 */
export function orthogonalise(given: Matrix, iterations: number): Matrix {
  const tall = given.rows > given.columns;
  let x = tall ? transposed(given) : given;
  const size = norm(x.values) + 1e-7;
  x = { ...x, values: x.values.map((value) => value / size) };
  for (let iteration = 0; iteration < iterations; iteration++) {
    const g = gram(x);
    const g2 = gram(g);
    const polynomial = { ...g, values: g.values.map((value, index) => b * value + c * g2.values[index]) };
    const moved = multiply(polynomial, x).values;
    x = { ...x, values: x.values.map((value, index) => a * value + moved[index]) };
  }
  return tall ? transposed(x) : x;
}
