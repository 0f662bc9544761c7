/** Sums over vectors in float64, from left to right. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index] * b[index];
  return sum;
}

export function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

/** target <- target + factor * source. */
export function addScaled(target: Float64Array, factor: number, source: ArrayLike<number>): void {
  for (let index = 0; index < target.length; index++) target[index] += factor * source[index];
}
