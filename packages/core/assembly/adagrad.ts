import { decayed } from './lanes';

export function adagrad(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  sum: usize,
  rate: f32,
  eps: f32,
  decay: f32,
): void {
  const rates = f32x4.splat(rate);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, p += 16, g += 16, sum += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const s = f32x4.add(v128.load(sum), f32x4.mul(gradient, gradient));
    v128.store(sum, s);
    const root = f32x4.add(f32x4.sqrt(s), epsilons);
    v128.store(out, f32x4.sub(parameters, f32x4.div(f32x4.mul(rates, gradient), root)));
  }
}
