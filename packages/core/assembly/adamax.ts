import { decayed, moving } from './lanes';

export function adamax(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  m: usize,
  u: usize,
  rate: f32,
  keep1: f32,
  take1: f32,
  keep2: f32,
  eps: f32,
  decay: f32,
): void {
  const rates = f32x4.splat(rate);
  const keeps1 = f32x4.splat(keep1);
  const takes1 = f32x4.splat(take1);
  const keeps2 = f32x4.splat(keep2);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, p += 16, g += 16, m += 16, u += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const first = moving(v128.load(m), keeps1, takes1, gradient);
    const size = f32x4.add(f32x4.abs(gradient), epsilons);
    const most = f32x4.max(f32x4.mul(keeps2, v128.load(u)), size);
    v128.store(m, first);
    v128.store(u, most);
    v128.store(out, f32x4.sub(parameters, f32x4.div(f32x4.mul(rates, first), most)));
  }
}
