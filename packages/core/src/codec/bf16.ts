import { wordCodec } from './wordCodec.ts';

/**
 * bfloat16: the upper half of a float32, so its range with 8 bits of precision. Rounded to the nearest, ties to even. What is finite stays finite: numbers that would
 * round to infinity become the greatest one. Relative error at most 2^-8.
 */
export const bf16 = wordCodec('bf16', toBf16, (word) => (word << 16) >>> 0);

function toBf16(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >>> 16) & 0x8000;
  if (magnitude > 0x7f800000) return sign | 0x7fc0;
  const rounded = (magnitude + 0x7fff + ((magnitude >>> 16) & 1)) >>> 16;
  return sign | (magnitude < 0x7f800000 ? Math.min(rounded, 0x7f7f) : rounded);
}
