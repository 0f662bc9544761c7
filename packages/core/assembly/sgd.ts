import { addProduct } from './lanes';

export function sgd(count: u32, out: usize, p: usize, g: usize, rate: f32, decay: f32): void {
  const minusRate = f64x2.splat(-(<f64>rate));
  const decays = f64x2.splat(decay);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, p += 16, g += 16) {
    const parameters = v128.load(p);
    const gradient = decay === 0 ? v128.load(g) : addProduct(v128.load(g), decays, parameters);
    v128.store(out, addProduct(parameters, minusRate, gradient));
  }
}
