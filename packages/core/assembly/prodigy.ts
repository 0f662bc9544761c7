import { moving, movingSquare } from './lanes';

export function prodigy(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  s: usize,
  r: usize,
  origin: usize,
  rate: f32,
  keep1: f32,
  take1: f32,
  keep2: f32,
  take2: f32,
  keep: f32,
  take: f32,
  eps: f32,
  shrink: f32,
): void {
  const rates = f32x4.splat(rate);
  const keeps1 = f32x4.splat(keep1);
  const takes1 = f32x4.splat(take1);
  const keeps2 = f32x4.splat(keep2);
  const takes2 = f32x4.splat(take2);
  const keeps = f32x4.splat(keep);
  const takes = f32x4.splat(take);
  const epsilons = f32x4.splat(eps);
  const shrinks = f32x4.splat(shrink);
  for (
    const end = out + ((<usize>count) << 2);
    out < end;
    out += 16, p += 16, g += 16, m += 16, v += 16, s += 16, r += 16, origin += 16
  ) {
    const parameters = v128.load(p);
    const gradient = v128.load(g);
    const first = moving(v128.load(m), keeps1, takes1, gradient);
    const second = movingSquare(v128.load(v), keeps2, takes2, gradient);
    v128.store(m, first);
    v128.store(v, second);
    const pull = f32x4.mul(takes, gradient);
    v128.store(s, f32x4.add(f32x4.mul(keeps, v128.load(s)), pull));
    const way = f32x4.sub(v128.load(origin), parameters);
    v128.store(r, f32x4.add(f32x4.mul(keeps, v128.load(r)), f32x4.mul(pull, way)));
    const root = f32x4.add(f32x4.sqrt(second), epsilons);
    const shrunk = f32x4.mul(shrinks, parameters);
    v128.store(out, f32x4.sub(shrunk, f32x4.div(f32x4.mul(rates, first), root)));
  }
}
