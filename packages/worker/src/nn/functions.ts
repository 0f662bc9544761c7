import { numpy as np } from '@jax-js/jax';
import { invariant } from '@tributary/core/errors/invariant.ts';

/** x to a whole power, by multiplication: right for negative x and with the right gradient at 0, where jax-js's `power` goes through the logarithm. */
export function power(x: np.Array, exponent: number): np.Array {
  invariant(Number.isInteger(exponent), `an exponent of ${exponent}: np.power takes fractions`);
  if (exponent < 0) return np.reciprocal(power(x, -exponent));
  if (exponent === 0) return np.onesLike(x);
  if (exponent === 1) return x;
  const half = power(x.ref, exponent >> 1);
  const square = half.ref.mul(half);
  if (exponent % 2 === 1) return square.mul(x);
  x.dispose();
  return square;
}

/** The Euclidean norm of all elements, with gradient 0 at 0. */
export function norm(x: np.Array): np.Array {
  const squares = np.square(x).sum();
  const positive = squares.ref.greater(0);
  const root = np.sqrt(np.where(positive.ref, squares, 1));
  return np.where(positive, root, 0);
}
