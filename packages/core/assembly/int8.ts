import { greatestLane, storeLoss } from './lanes';

export function int8Encode(blocks: u32, values: usize, bytes: usize): void {
  for (const end = values + ((<usize>blocks) << 12); values < end; bytes += 256) {
    const groupEnd = values + 1024;
    let greatest = f32x4.splat(0);
    for (let at = values; at < groupEnd; at += 16) {
      greatest = f32x4.pmax(greatest, f32x4.abs(v128.load(at)));
    }
    const scale = min(greatestLane(greatest) / 127, reinterpret<f32>(0x7c010203));
    store<f32>(bytes, scale);
    bytes += 4;
    if (scale === 0) {
      memory.fill(bytes, 0, 256);
      values = groupEnd;
      continue;
    }
    const scales = f32x4.splat(scale);
    for (let to = bytes; values < groupEnd; values += 64, to += 16) {
      const low = i16x8.narrow_i32x4_s(whole(values, scales), whole(values + 16, scales));
      const high = i16x8.narrow_i32x4_s(whole(values + 32, scales), whole(values + 48, scales));
      v128.store(to, i8x16.narrow_i16x8_s(low, high));
    }
  }
}

/** Four float32 as multiples of the scale; leaves what they lose. */
function whole(address: usize, scales: v128): v128 {
  const values = v128.load(address);
  const quotients = f32x4.div(values, scales);
  const held = f32x4.pmin(f32x4.pmax(quotients, f32x4.splat(-127)), f32x4.splat(127));
  // By way of integers, which have no -0.
  const numbers = i32x4.trunc_sat_f32x4_s(f32x4.nearest(held));
  storeLoss(address, values, scaled(scales, numbers));
  return numbers;
}

export function int8Decode(blocks: u32, values: usize, bytes: usize): bool {
  for (const end = values + ((<usize>blocks) << 12); values < end; ) {
    const scales = f32x4.splat(load<f32>(bytes));
    bytes += 4;
    for (const groupEnd = values + 1024; values < groupEnd; values += 64, bytes += 16) {
      const numbers = v128.load(bytes);
      const low = i16x8.extend_low_i8x16_s(numbers);
      const high = i16x8.extend_high_i8x16_s(numbers);
      v128.store(values, scaled(scales, i32x4.extend_low_i16x8_s(low)));
      v128.store(values, scaled(scales, i32x4.extend_high_i16x8_s(low)), 16);
      v128.store(values, scaled(scales, i32x4.extend_low_i16x8_s(high)), 32);
      v128.store(values, scaled(scales, i32x4.extend_high_i16x8_s(high)), 48);
    }
  }
  return true;
}

function scaled(scales: v128, numbers: v128): v128 {
  return f32x4.mul(scales, f32x4.convert_i32x4_s(numbers));
}
