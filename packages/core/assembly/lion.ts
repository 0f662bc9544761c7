import { moving } from './lanes';

export function lion(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  m: usize,
  rate: f32,
  keep1: f32,
  take1: f32,
  keep2: f32,
  take2: f32,
  shrink: f32,
): void {
  const rates = f32x4.splat(rate);
  const minusRates = f32x4.splat(-rate);
  const keeps1 = f32x4.splat(keep1);
  const takes1 = f32x4.splat(take1);
  const keeps2 = f32x4.splat(keep2);
  const takes2 = f32x4.splat(take2);
  const shrinks = f32x4.splat(shrink);
  const zeros = f32x4.splat(0);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, p += 16, g += 16, m += 16) {
    const gradient = v128.load(g);
    const first = v128.load(m);
    const c = moving(first, keeps1, takes1, gradient);
    v128.store(m, moving(first, keeps2, takes2, gradient));
    const move = v128.or(v128.and(f32x4.gt(c, zeros), rates), v128.and(f32x4.lt(c, zeros), minusRates));
    v128.store(out, f32x4.sub(f32x4.mul(shrinks, v128.load(p)), move));
  }
}
