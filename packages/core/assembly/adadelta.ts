import { addProduct, decayed, movingSquare } from './lanes';

export function adadelta(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  squares: usize,
  deltas: usize,
  rate: f32,
  keep: f32,
  take: f32,
  eps: f32,
  decay: f32,
): void {
  const minusRate = f64x2.splat(-(<f64>rate));
  const keeps = f32x4.splat(keep);
  const takes = f32x4.splat(take);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 16, p += 16, g += 16, squares += 16, deltas += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const s = movingSquare(v128.load(squares), keeps, takes, gradient);
    const before = v128.load(deltas);
    const ratio = f32x4.div(f32x4.sqrt(f32x4.add(before, epsilons)), f32x4.sqrt(f32x4.add(s, epsilons)));
    const d = f32x4.mul(ratio, gradient);
    v128.store(squares, s);
    v128.store(deltas, movingSquare(before, keeps, takes, d));
    v128.store(out, addProduct(parameters, minusRate, d));
  }
}
