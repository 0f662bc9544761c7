/**
 * The loss around the present parameters, of a block of n of them: m(s) = gradient . s + s . curvature s / 2, with m(0) = 0.
 * `curvature` is symmetric, n x n, row by row: the Hessian or a Gauss-Newton matrix.
 */
export interface QuadraticModel {
  readonly gradient: Float64Array;
  readonly curvature: Float64Array;
}

/** m(step): the change of the loss that the model foresees. */
export function modelChange({ gradient, curvature }: QuadraticModel, step: Float64Array): number {
  const n = gradient.length;
  let change = 0;
  for (let i = 0; i < n; i++) {
    let slope = gradient[i];
    for (let j = 0; j < n; j++) slope += (curvature[i * n + j] * step[j]) / 2;
    change += slope * step[i];
  }
  return change;
}
