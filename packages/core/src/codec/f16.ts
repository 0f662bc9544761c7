import { bitsOf, floatOf } from './floatBits.ts';
import { wordCodec } from './wordCodec.ts';

/** Bits of the greatest finite binary16, 65504, and of the least normal one, 2^-14, as float32. */
const greatest = 0x477fe000;
const leastNormal = 0x38800000;
/** The bias of the exponent goes from 127 to 15. */
const bias = 112 << 23;

/**
 * IEEE 754 binary16, subnormal numbers included: 11 bits of precision from 2^-14 to 65504. Rounded to the nearest, ties to even, except that finite numbers beyond
 * 65504 become 65504: the error feedback sends the rest later, while an infinity would stop the job. Relative error at most 2^-11, and at most 2^-25 absolutely
 * below 2^-14.
 */
export const f16 = wordCodec('f16', toF16, fromF16);

function toF16(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >>> 16) & 0x8000;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude === 0x7f800000) return sign | 0x7c00;
  const held = Math.min(magnitude, greatest);
  // Adding 0.5 in float32 rounds to multiples of 2^-24, and leaves how many there are in the last bits.
  if (held < leastNormal) return sign | (bitsOf(floatOf(held) + 0.5) - bitsOf(0.5));
  // A carry out of the fraction is right as well: it is the next exponent.
  return sign | ((held - bias + 0xfff + ((held >>> 13) & 1)) >>> 13);
}

function fromF16(word: number): number {
  const magnitude = (word & 0x7fff) << 13;
  const sign = (word & 0x8000) << 16;
  if (magnitude >= 0x7c00 << 13) return (sign | 0x7f800000 | magnitude) >>> 0;
  if (magnitude >= 0x400 << 13) return (sign | (magnitude + bias)) >>> 0;
  return (sign | bitsOf(floatOf(magnitude + leastNormal) - floatOf(leastNormal))) >>> 0;
}
