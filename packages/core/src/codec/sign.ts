import type { Codec } from './Codec.ts';
import { bitsOf, loadFloat, storeFloat } from './floatBits.ts';

const f = Math.fround;

/**
 * One bit per element, 1 for negative, times the mean magnitude of the block's elements: a float32, then the bits, the least first. Karimireddy et al., "Error Feedback
 * Fixes SignSGD and other Gradient Compression Schemes", 2019, algorithm 1, with blocks for layers. It keeps (mean |x|)^2 / mean x^2 of the square of the norm;
 * the rest is left to the next gradient.
 */
export const sign: Codec = {
  name: 'sign',
  lossless: false,
  momentum: 0,
  kernelArguments: [],
  blockBytes: (elements) => 4 + Math.ceil(elements / 8),
  encode(values, bytes) {
    const scale = meanMagnitude(values);
    bytes.fill(0);
    storeFloat(bytes, 0, scale);
    for (let index = 0; index < values.length; index++) {
      const negative = bitsOf(values[index]) >>> 31;
      bytes[4 + (index >>> 3)] |= negative << (index & 7);
      values[index] = f(values[index] - (negative === 1 ? -scale : scale));
    }
  },
  decode(bytes, values) {
    const scale = loadFloat(bytes, 0);
    for (let index = 0; index < values.length; index++) {
      const negative = (bytes[4 + (index >>> 3)] >>> (index & 7)) & 1;
      values[index] = negative === 1 ? -scale : scale;
    }
    return true;
  },
};

/** In four running float64 sums, as a SIMD loop can do it too. */
function meanMagnitude(values: Float32Array): number {
  const sums = [0, 0, 0, 0];
  for (let index = 0; index < values.length; index++) sums[index & 3] += Math.abs(values[index]);
  return f((sums[0] + sums[1] + (sums[2] + sums[3])) / values.length);
}
