import { highToF64, storeLoss } from './lanes';

export function signEncode(blocks: u32, values: usize, bytes: usize): void {
  const signBits = i32x4.splat(0x80000000);
  for (const end = values + ((<usize>blocks) << 12); values < end; ) {
    const blockEnd = values + 4096;
    let s01 = f64x2.splat(0);
    let s23 = f64x2.splat(0);
    for (let at = values; at < blockEnd; at += 16) {
      const magnitudes = f32x4.abs(v128.load(at));
      s01 = f64x2.add(s01, f64x2.promote_low_f32x4(magnitudes));
      s23 = f64x2.add(s23, highToF64(magnitudes));
    }
    const scale = <f32>((pair(s01) + pair(s23)) / 1024);
    const scales = f32x4.splat(scale);
    store<f32>(bytes, scale);
    bytes += 4;
    for (; values < blockEnd; values += 32, bytes++) {
      const first = v128.load(values);
      const second = v128.load(values, 16);
      store<u8>(bytes, i32x4.bitmask(first) | (i32x4.bitmask(second) << 4));
      storeLoss(values, first, v128.or(scales, v128.and(first, signBits)));
      storeLoss(values + 16, second, v128.or(scales, v128.and(second, signBits)));
    }
  }
}

function pair(sums: v128): f64 {
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

export function signDecode(blocks: u32, values: usize, bytes: usize): bool {
  // Each lane takes its bit of the byte to the place of the sign.
  const signBits = i32x4.splat(0x80000000);
  const lowPlaces = i32x4(1, 2, 4, 8);
  const highPlaces = i32x4(16, 32, 64, 128);
  for (const end = values + ((<usize>blocks) << 12); values < end; ) {
    const scales = f32x4.splat(load<f32>(bytes));
    bytes += 4;
    for (const blockEnd = values + 4096; values < blockEnd; values += 32, bytes++) {
      const bits = i32x4.splat(<i32>load<u8>(bytes));
      const low = i32x4.eq(v128.and(bits, lowPlaces), lowPlaces);
      const high = i32x4.eq(v128.and(bits, highPlaces), highPlaces);
      v128.store(values, v128.xor(scales, v128.and(low, signBits)));
      v128.store(values, v128.xor(scales, v128.and(high, signBits)), 16);
    }
  }
  return true;
}
