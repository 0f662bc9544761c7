import { highToF64, moving } from './lanes';

/** target <- target + source. Returns whether all of `source` is finite. */
export function add(count: u32, target: usize, source: usize): bool {
  let wrong = i32x4.splat(0);
  for (const end = target + ((<usize>count) << 2); target < end; target += 16, source += 16) {
    const values = v128.load(source);
    wrong = v128.or(wrong, f32x4.sub(values, values));
    v128.store(target, f32x4.add(v128.load(target), values));
  }
  return !v128.any_true(wrong);
}

/** out <- factor * source. Returns whether all of `source` is finite. */
export function scale(count: u32, out: usize, source: usize, factor: f32): bool {
  const factors = f32x4.splat(factor);
  let wrong = i32x4.splat(0);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, source += 16) {
    const values = v128.load(source);
    wrong = v128.or(wrong, f32x4.sub(values, values));
    v128.store(out, f32x4.mul(factors, values));
  }
  return !v128.any_true(wrong);
}

/** average <- keep * average + take * values. */
export function average(count: u32, average: usize, values: usize, keep: f32, take: f32): void {
  const keeps = f32x4.splat(keep);
  const takes = f32x4.splat(take);
  for (const end = average + ((<usize>count) << 2); average < end; average += 16, values += 16) {
    v128.store(average, moving(v128.load(average), keeps, takes, v128.load(values)));
  }
}

/** values <- values / divisor, in place. */
export function divide(count: u32, values: usize, divisor: f32): void {
  const divisors = f32x4.splat(divisor);
  for (const end = values + ((<usize>count) << 2); values < end; values += 16) {
    v128.store(values, f32x4.div(v128.load(values), divisors));
  }
}

/** Holds every element within [-bound, bound]. pmin and pmax keep their first operand where it is NaN, and are one instruction each. */
export function clip(count: u32, values: usize, bound: f32): void {
  const most = f32x4.splat(bound);
  const least = f32x4.splat(-bound);
  for (const end = values + ((<usize>count) << 2); values < end; values += 16) {
    v128.store(values, f32x4.pmin(f32x4.pmax(v128.load(values), least), most));
  }
}

/** A finite number minus itself is 0; of NaN and the infinities it is NaN. */
export function allFinite(count: u32, values: usize): bool {
  let wrong = i32x4.splat(0);
  for (const end = values + ((<usize>count) << 2); values < end; values += 16) {
    const four = v128.load(values);
    wrong = v128.or(wrong, f32x4.sub(four, four));
  }
  return !v128.any_true(wrong);
}

/** Sums of squares per block of 1024 elements, `count` a multiple of that, as float64 to `sums`: eight running sums, then pairs. */
export function blockSquares(count: u32, values: usize, sums: usize): void {
  for (const end = values + ((<usize>count) << 2); values < end; sums += 8) {
    let s01 = f64x2.splat(0);
    let s23 = f64x2.splat(0);
    let s45 = f64x2.splat(0);
    let s67 = f64x2.splat(0);
    for (const blockEnd = values + 4096; values < blockEnd; values += 32) {
      const even = v128.load(values);
      const odd = v128.load(values, 16);
      const v01 = f64x2.promote_low_f32x4(even);
      const v23 = highToF64(even);
      const v45 = f64x2.promote_low_f32x4(odd);
      const v67 = highToF64(odd);
      s01 = f64x2.add(s01, f64x2.mul(v01, v01));
      s23 = f64x2.add(s23, f64x2.mul(v23, v23));
      s45 = f64x2.add(s45, f64x2.mul(v45, v45));
      s67 = f64x2.add(s67, f64x2.mul(v67, v67));
    }
    store<f64>(sums, pair(s01) + pair(s23) + (pair(s45) + pair(s67)));
  }
}

function pair(sums: v128): f64 {
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

/** a <- b + factor * c: what memory can give, as the yardstick of the bench. */
export function triad(count: u32, a: usize, b: usize, c: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  for (const end = a + ((<usize>count) << 2); a < end; a += 16, b += 16, c += 16) {
    v128.store(a, f32x4.add(v128.load(b), f32x4.mul(factors, v128.load(c))));
  }
}
