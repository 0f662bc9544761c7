import { addProduct, decayed, moving, movingSquare } from './lanes';

// Scalars as the rule has them: rate, keep, take, eps, decay, mu. Those without momentum leave `mu` unused.

export function rmsprop(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  squares: usize,
  rate: f32,
  keep: f32,
  take: f32,
  eps: f32,
  decay: f32,
  _mu: f32,
): void {
  const rates = f32x4.splat(rate);
  const keeps = f32x4.splat(keep);
  const takes = f32x4.splat(take);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, p += 16, g += 16, squares += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const s = movingSquare(v128.load(squares), keeps, takes, gradient);
    v128.store(squares, s);
    const root = f32x4.add(f32x4.sqrt(s), epsilons);
    v128.store(out, f32x4.sub(parameters, f32x4.div(f32x4.mul(rates, gradient), root)));
  }
}

export function rmspropMomentum(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  squares: usize,
  buffer: usize,
  rate: f32,
  keep: f32,
  take: f32,
  eps: f32,
  decay: f32,
  mu: f32,
): void {
  const minusRate = f64x2.splat(-(<f64>rate));
  const keeps = f32x4.splat(keep);
  const takes = f32x4.splat(take);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  const mus = f32x4.splat(mu);
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 16, p += 16, g += 16, squares += 16, buffer += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const s = movingSquare(v128.load(squares), keeps, takes, gradient);
    v128.store(squares, s);
    const root = f32x4.add(f32x4.sqrt(s), epsilons);
    const b = f32x4.add(f32x4.mul(mus, v128.load(buffer)), f32x4.div(gradient, root));
    v128.store(buffer, b);
    v128.store(out, addProduct(parameters, minusRate, b));
  }
}

export function rmspropCentered(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  squares: usize,
  average: usize,
  rate: f32,
  keep: f32,
  take: f32,
  eps: f32,
  decay: f32,
  _mu: f32,
): void {
  const rates = f32x4.splat(rate);
  const keeps = f32x4.splat(keep);
  const takes = f32x4.splat(take);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 16, p += 16, g += 16, squares += 16, average += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const s = movingSquare(v128.load(squares), keeps, takes, gradient);
    v128.store(squares, s);
    const a = moving(v128.load(average), keeps, takes, gradient);
    v128.store(average, a);
    const root = f32x4.add(f32x4.sqrt(variance(s, a)), epsilons);
    v128.store(out, f32x4.sub(parameters, f32x4.div(f32x4.mul(rates, gradient), root)));
  }
}

export function rmspropCenteredMomentum(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  squares: usize,
  average: usize,
  buffer: usize,
  rate: f32,
  keep: f32,
  take: f32,
  eps: f32,
  decay: f32,
  mu: f32,
): void {
  const minusRate = f64x2.splat(-(<f64>rate));
  const keeps = f32x4.splat(keep);
  const takes = f32x4.splat(take);
  const epsilons = f32x4.splat(eps);
  const decays = f32x4.splat(decay);
  const mus = f32x4.splat(mu);
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 16, p += 16, g += 16, squares += 16, average += 16, buffer += 16) {
    const parameters = v128.load(p);
    const gradient = decayed(v128.load(g), decays, parameters);
    const s = movingSquare(v128.load(squares), keeps, takes, gradient);
    v128.store(squares, s);
    const a = moving(v128.load(average), keeps, takes, gradient);
    v128.store(average, a);
    const root = f32x4.add(f32x4.sqrt(variance(s, a)), epsilons);
    const b = f32x4.add(f32x4.mul(mus, v128.load(buffer)), f32x4.div(gradient, root));
    v128.store(buffer, b);
    v128.store(out, addProduct(parameters, minusRate, b));
  }
}

function variance(square: v128, average: v128): v128 {
  return f32x4.max(f32x4.sub(square, f32x4.mul(average, average)), f32x4.splat(0));
}
