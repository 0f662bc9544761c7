import { addProduct } from './lanes';

export function momentum(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  buffer: usize,
  rate: f32,
  mu: f32,
  decay: f32,
): void {
  const minusRate = f64x2.splat(-(<f64>rate));
  const mus = f32x4.splat(mu);
  const decays = f64x2.splat(decay);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, p += 16, g += 16, buffer += 16) {
    const parameters = v128.load(p);
    const gradient = decay === 0 ? v128.load(g) : addProduct(v128.load(g), decays, parameters);
    const b = f32x4.add(f32x4.mul(mus, v128.load(buffer)), gradient);
    v128.store(buffer, b);
    v128.store(out, addProduct(parameters, minusRate, b));
  }
}
