import type { Codec } from './Codec.ts';
import { loadFloat, storeFloat } from './floatBits.ts';

const f = Math.fround;

/** Elements that share a scale. */
const group = 256;
/** Adding it in float32 and taking it off again rounds to whole numbers, ties to even. */
const rounder = 1.5 * 2 ** 23;
/** The greatest of which 127 times is finite. */
const scaleMax = 2.6793883890187504e36;

/**
 * Whole numbers from -127 to 127 times a float32 per 256 elements, which is their greatest magnitude / 127: the scale, then the numbers, one byte each. Rounded to
 * the nearest, ties to even: the error is at most half a scale.
 */
export const int8: Codec = {
  name: 'int8',
  lossless: false,
  momentum: 0,
  kernelArguments: [],
  blockBytes: (elements) => elements + 4 * Math.ceil(elements / group),
  encode(values, bytes) {
    for (let begin = 0, at = 0; begin < values.length; begin += group) {
      const part = values.subarray(begin, begin + group);
      encodeGroup(part, bytes.subarray(at, at + 4 + part.length));
      at += 4 + part.length;
    }
  },
  decode(bytes, values) {
    for (let begin = 0, at = 0; begin < values.length; begin += group) {
      const end = Math.min(begin + group, values.length);
      const scale = loadFloat(bytes, at);
      at += 4;
      for (let index = begin; index < end; index++) values[index] = scale * ((bytes[at++] << 24) >> 24);
    }
    return true;
  },
};

function encodeGroup(values: Float32Array, bytes: Uint8Array): void {
  let greatest = 0;
  for (let index = 0; index < values.length; index++) greatest = Math.max(greatest, Math.abs(values[index]));
  const scale = Math.min(f(greatest / 127), scaleMax);
  storeFloat(bytes, 0, scale);
  // Too small for a scale: all of it is left to the next gradient.
  if (scale === 0) {
    bytes.fill(0, 4);
    return;
  }
  for (let index = 0; index < values.length; index++) {
    // A scale at either end of the float32 is coarse, and the quotient may be more than 127.
    const quotient = Math.min(Math.max(f(values[index] / scale), -127), 127);
    const whole = f(f(quotient + rounder) - rounder);
    bytes[4 + index] = whole;
    values[index] = f(values[index] - f(scale * whole));
  }
}
