/**
 * What the SIMD kernels share. They are AssemblyScript: TypeScript's syntax with WebAssembly's types. `node scripts/kernels.ts` compiles them.
 *
 * Each kernel is the loop of its plain TypeScript oracle (src/optimizer, src/reduction), four float32 at a time, with every operation in
 * the same order and rounded the same way. All take first the number of elements, a multiple of 4, then the byte addresses of their vectors (of
 * any alignment), then their scalars in the order in which the rule gives them. An output may be one of the inputs.
 */

/** The upper two of four float32, as float64. */
export function highToF64(values: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(values, values, 2, 3, 0, 1));
}

/**
 * float32(sum + factor * values), with product and sum in float64: rounded once. `factor` is two equal float64.
 * WebAssembly's own fused operation (relaxed SIMD) is fused on some machines only, so that its bits depend on the machine.
 */
export function addProduct(sum: v128, factor: v128, values: v128): v128 {
  const low = f64x2.add(f64x2.promote_low_f32x4(sum), f64x2.mul(factor, f64x2.promote_low_f32x4(values)));
  const high = f64x2.add(highToF64(sum), f64x2.mul(factor, highToF64(values)));
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** gradient + decay * parameters, rounded after each operation. */
export function decayed(gradient: v128, decay: v128, parameters: v128): v128 {
  return f32x4.add(gradient, f32x4.mul(decay, parameters));
}

/** keep * average + take * values. */
export function moving(average: v128, keep: v128, take: v128, values: v128): v128 {
  return f32x4.add(f32x4.mul(keep, average), f32x4.mul(take, values));
}

/** keep * average + take * values^2. */
export function movingSquare(average: v128, keep: v128, take: v128, values: v128): v128 {
  return f32x4.add(f32x4.mul(keep, average), f32x4.mul(f32x4.mul(take, values), values));
}

/** Leaves at `address` what four values lost by being rounded. */
export function storeLoss(address: usize, values: v128, rounded: v128): void {
  v128.store(address, f32x4.sub(values, rounded));
}

/** The greatest of four numbers, none of them NaN. */
export function greatestLane(values: v128): f32 {
  return max(
    max(f32x4.extract_lane(values, 0), f32x4.extract_lane(values, 1)),
    max(f32x4.extract_lane(values, 2), f32x4.extract_lane(values, 3)),
  );
}
