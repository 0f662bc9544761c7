import { decayed, moving, movingSquare } from './lanes';

export function nadam(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  rateOfGradient: f32,
  rateOfMoment: f32,
  correction: f32,
  keep1: f32,
  take1: f32,
  keep2: f32,
  take2: f32,
  eps: f32,
  decay: f32,
): void {
  const ratesOfGradient = f32x4.splat(rateOfGradient);
  const ratesOfMoment = f32x4.splat(rateOfMoment);
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
    const root = f32x4.add(f32x4.sqrt(f32x4.div(second, corrections)), epsilons);
    const ahead = f32x4.sub(parameters, f32x4.div(f32x4.mul(ratesOfGradient, gradient), root));
    v128.store(out, f32x4.sub(ahead, f32x4.div(f32x4.mul(ratesOfMoment, first), root)));
  }
}
