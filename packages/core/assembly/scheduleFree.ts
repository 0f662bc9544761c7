import { moving, movingSquare } from './lanes';

export function scheduleFree(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  z: usize,
  x: usize,
  v: usize,
  rate: f32,
  keep: f32,
  take: f32,
  eps: f32,
  decay: f32,
  part: f32,
  rest: f32,
  beta: f32,
  complement: f32,
): void {
  const rates = f32x4.splat(rate);
  const keeps = f32x4.splat(keep);
  const takes = f32x4.splat(take);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  const parts = f32x4.splat(part);
  const rests = f32x4.splat(rest);
  const betas = f32x4.splat(beta);
  const complements = f32x4.splat(complement);
  for (
    const end = out + ((<usize>count) << 2);
    out < end;
    out += 16, p += 16, g += 16, z += 16, x += 16, v += 16
  ) {
    const gradient = v128.load(g);
    const second = movingSquare(v128.load(v), keeps, takes, gradient);
    v128.store(v, second);
    const root = f32x4.add(f32x4.sqrt(second), epsilons);
    const moved = f32x4.sub(v128.load(z), f32x4.div(f32x4.mul(rates, gradient), root));
    const fast = f32x4.sub(moved, f32x4.mul(decays, v128.load(p)));
    v128.store(z, fast);
    const average = moving(v128.load(x), rests, parts, fast);
    v128.store(x, average);
    v128.store(out, moving(fast, complements, betas, average));
  }
}
