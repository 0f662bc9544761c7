import { storeLoss } from './lanes';

/** Four float32 to four words of 32 bits that hold bfloat16. */
function toBf16(values: v128): v128 {
  const magnitudes = v128.and(values, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitudes, 16), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(magnitudes, i32x4.splat(0x7fff)), odd), 16);
  const infinity = i32x4.splat(0x7f800000);
  const held = i32x4.min_s(rounded, i32x4.splat(0x7f7f));
  const number = v128.bitselect(held, rounded, i32x4.lt_s(magnitudes, infinity));
  const word = v128.bitselect(i32x4.splat(0x7fc0), number, i32x4.gt_s(magnitudes, infinity));
  return v128.or(word, v128.and(i32x4.shr_u(values, 16), i32x4.splat(0x8000)));
}

export function bf16Encode(blocks: u32, values: usize, bytes: usize): void {
  for (const end = values + ((<usize>blocks) << 12); values < end; values += 32, bytes += 16) {
    const first = v128.load(values);
    const second = v128.load(values, 16);
    const firstWords = toBf16(first);
    const secondWords = toBf16(second);
    v128.store(bytes, i16x8.narrow_i32x4_u(firstWords, secondWords));
    storeLoss(values, first, i32x4.shl(firstWords, 16));
    storeLoss(values + 16, second, i32x4.shl(secondWords, 16));
  }
}

export function bf16Decode(blocks: u32, values: usize, bytes: usize): bool {
  for (const end = values + ((<usize>blocks) << 12); values < end; values += 32, bytes += 16) {
    const words = v128.load(bytes);
    v128.store(values, i32x4.shl(i32x4.extend_low_i16x8_u(words), 16));
    v128.store(values, i32x4.shl(i32x4.extend_high_i16x8_u(words), 16), 16);
  }
  return true;
}
