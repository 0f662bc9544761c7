import { decayed, moving, movingSquare } from './lanes';

export function adam(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  rate: f32,
  correction: f32,
  keep1: f32,
  take1: f32,
  keep2: f32,
  take2: f32,
  eps: f32,
  decay: f32,
): void {
  const rates = f32x4.splat(rate);
  const corrections = f32x4.splat(correction);
  const keeps1 = f32x4.splat(keep1);
  const takes1 = f32x4.splat(take1);
  const keeps2 = f32x4.splat(keep2);
  const takes2 = f32x4.splat(take2);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, p += 16, g += 16, m += 16, v += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const first = moving(v128.load(m), keeps1, takes1, gradient);
    const second = movingSquare(v128.load(v), keeps2, takes2, gradient);
    v128.store(m, first);
    v128.store(v, second);
    const root = f32x4.add(f32x4.mul(f32x4.sqrt(second), corrections), epsilons);
    v128.store(out, f32x4.sub(parameters, f32x4.div(f32x4.mul(rates, first), root)));
  }
}

export function amsgrad(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  greatest: usize,
  rate: f32,
  correction: f32,
  keep1: f32,
  take1: f32,
  keep2: f32,
  take2: f32,
  eps: f32,
  decay: f32,
): void {
  const rates = f32x4.splat(rate);
  const corrections = f32x4.splat(correction);
  const keeps1 = f32x4.splat(keep1);
  const takes1 = f32x4.splat(take1);
  const keeps2 = f32x4.splat(keep2);
  const takes2 = f32x4.splat(take2);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 16, p += 16, g += 16, m += 16, v += 16, greatest += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const first = moving(v128.load(m), keeps1, takes1, gradient);
    const second = movingSquare(v128.load(v), keeps2, takes2, gradient);
    const most = f32x4.max(v128.load(greatest), second);
    v128.store(m, first);
    v128.store(v, second);
    v128.store(greatest, most);
    const root = f32x4.add(f32x4.mul(f32x4.sqrt(most), corrections), epsilons);
    v128.store(out, f32x4.sub(parameters, f32x4.div(f32x4.mul(rates, first), root)));
  }
}
