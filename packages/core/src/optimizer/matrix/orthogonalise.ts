import { norm } from '../norm.ts';
import { type Matrix, transposed } from './Matrix.ts';
import { gram, multiply } from './multiply.ts';

/** Keller Jordan's coefficients: the steepest at 0 for which singular values end near 1, between about 0.7 and 1.2. */
const [a, b, c] = [3.4445, -4.775, 2.0315];

/**
 * Nearly U V' of the singular value decomposition U S V' of a matrix, by Newton-Schulz iterations X <- a X + b (X X') X + c (X X')^2 X from X / |X|.
 * Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
 */
export function orthogonalise(given: Matrix, iterations: number): Matrix {
  const tall = given.rows > given.columns;
  let x = combined(1 / (norm(given.values) + 1e-7), tall ? transposed(given) : given);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const g = gram(x);
    x = combined(a, x, 1, multiply(combined(b, g, c, gram(g)), x));
  }
  return tall ? transposed(x) : x;
}

/** f A + g B. */
function combined(f: number, a: Matrix, g = 0, b = a): Matrix {
  const values = new Float64Array(a.values.length);
  for (let i = 0; i < values.length; i++) values[i] = f * a.values[i] + g * b.values[i];
  return { ...a, values };
}
