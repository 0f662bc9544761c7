import { invariant } from '../../errors/invariant.ts';
import type { QuadraticModel } from './QuadraticModel.ts';
import { createQubo, type Qubo } from './Qubo.ts';

/**
 * How a step of real numbers is written in bits: parameter i takes one of 2^bits values evenly spread over [-ranges[i], ranges[i]],
 *
 *   step_i = ranges_i (2 (b_0 + 2 b_1 + 4 b_2 + ...) / (2^bits - 1) - 1),
 *
 * with variable i * bits + j for b_j. In spins z = 1 - 2 b this is a weighted sum without a constant, so that the sign of a gradient is a field on a spin.
 * The grid has no zero: a step that should be smaller than it allows is refused, and the range shrinks (see trustRegion). Two's complement, which has
 * a zero, reaches further down than up and with one bit cannot go up at all.
 */
export interface StepEncoding {
  readonly bits: number;
  readonly ranges: Float64Array;
}

/** The model as a QUBO over the bits: its value is m(decodeStep(encoding, x)) for every x. */
export function encodeModel({ gradient, curvature }: QuadraticModel, encoding: StepEncoding): Qubo {
  const n = gradient.length;
  const { bits, ranges } = encoding;
  invariant(curvature.length === n * n && ranges.length === n, `a model and ranges of ${n} parameters`);
  const qubo = createQubo(n * bits);
  const weights = bitWeights(encoding);
  // step = weights . x - ranges, put into the model: constant, linear and quadratic terms. On bits x^2 = x, so the diagonal is linear.
  for (let i = 0; i < n; i++) {
    qubo.offset -= gradient[i] * ranges[i];
    let slope = gradient[i];
    for (let j = 0; j < n; j++) {
      slope -= curvature[i * n + j] * ranges[j];
      qubo.offset += (curvature[i * n + j] * ranges[i] * ranges[j]) / 2;
    }
    for (let u = i * bits; u < (i + 1) * bits; u++) {
      qubo.matrix[u * qubo.size + u] += weights[u] * slope;
      for (let v = 0; v < qubo.size; v++) {
        const j = Math.floor(v / bits);
        qubo.matrix[u * qubo.size + v] += (curvature[i * n + j] * weights[u] * weights[v]) / 2;
      }
    }
  }
  return qubo;
}

/** The step that the bits stand for. */
export function decodeStep(encoding: StepEncoding, solution: Uint8Array): Float64Array {
  const { bits, ranges } = encoding;
  const weights = bitWeights(encoding);
  return ranges.map((range, i) => {
    let value = -range;
    for (let u = i * bits; u < (i + 1) * bits; u++) value += weights[u] * solution[u];
    return value;
  });
}

/** How far each bit moves its parameter. */
function bitWeights({ bits, ranges }: StepEncoding): Float64Array {
  const levels = 2 ** bits - 1;
  return Float64Array.from({ length: ranges.length * bits }, (_, u) => {
    return (2 * ranges[Math.floor(u / bits)] * 2 ** (u % bits)) / levels;
  });
}
