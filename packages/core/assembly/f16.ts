import { storeLoss } from './lanes';

/** Four float32 to four words of 32 bits that hold binary16. */
function toF16(values: v128): v128 {
  const magnitudes = v128.and(values, i32x4.splat(0x7fffffff));
  const held = i32x4.min_s(magnitudes, i32x4.splat(0x477fe000));
  const halves = f32x4.splat(0.5);
  const subnormal = i32x4.sub(f32x4.add(held, halves), halves);
  const odd = v128.and(i32x4.shr_u(held, 13), i32x4.splat(1));
  const shifted = i32x4.add(i32x4.sub(held, i32x4.splat((112 << 23) - 0xfff)), odd);
  const isSmall = i32x4.lt_s(held, i32x4.splat(0x38800000));
  const finite = v128.bitselect(subnormal, i32x4.shr_s(shifted, 13), isSmall);
  const infinity = i32x4.splat(0x7f800000);
  const number = v128.bitselect(i32x4.splat(0x7c00), finite, i32x4.eq(magnitudes, infinity));
  const word = v128.bitselect(i32x4.splat(0x7e00), number, i32x4.gt_s(magnitudes, infinity));
  return v128.or(word, v128.and(i32x4.shr_u(values, 16), i32x4.splat(0x8000)));
}

function fromF16(words: v128): v128 {
  const magnitudes = i32x4.shl(v128.and(words, i32x4.splat(0x7fff)), 13);
  const signs = i32x4.shl(v128.and(words, i32x4.splat(0x8000)), 16);
  const least = i32x4.splat(0x38800000);
  const subnormal = f32x4.sub(i32x4.add(magnitudes, least), least);
  const isNormal = i32x4.ge_s(magnitudes, i32x4.splat(0x400 << 13));
  const finite = v128.bitselect(i32x4.add(magnitudes, i32x4.splat(112 << 23)), subnormal, isNormal);
  const isNumber = i32x4.lt_s(magnitudes, i32x4.splat(0x7c00 << 13));
  const special = v128.or(magnitudes, i32x4.splat(0x7f800000));
  return v128.or(signs, v128.bitselect(finite, special, isNumber));
}

export function f16Encode(blocks: u32, values: usize, bytes: usize): void {
  for (const end = values + ((<usize>blocks) << 12); values < end; values += 32, bytes += 16) {
    const first = v128.load(values);
    const second = v128.load(values, 16);
    const firstWords = toF16(first);
    const secondWords = toF16(second);
    v128.store(bytes, i16x8.narrow_i32x4_u(firstWords, secondWords));
    storeLoss(values, first, fromF16(firstWords));
    storeLoss(values + 16, second, fromF16(secondWords));
  }
}

export function f16Decode(blocks: u32, values: usize, bytes: usize): bool {
  for (const end = values + ((<usize>blocks) << 12); values < end; values += 32, bytes += 16) {
    const words = v128.load(bytes);
    v128.store(values, fromF16(i32x4.extend_low_i16x8_u(words)));
    v128.store(values, fromF16(i32x4.extend_high_i16x8_u(words)), 16);
  }
  return true;
}
