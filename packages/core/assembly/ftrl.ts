export function ftrl(
  count: u32,
  out: usize,
  p: usize,
  g: usize,
  z: usize,
  n: usize,
  inverseRate: f32,
  l1: f32,
  offset: f32,
): void {
  const inverseRates = f32x4.splat(inverseRate);
  const above = f32x4.splat(l1);
  const below = f32x4.splat(-l1);
  const offsets = f32x4.splat(offset);
  const zeros = f32x4.splat(0);
  for (const end = out + ((<usize>count) << 2); out < end; out += 16, p += 16, g += 16, z += 16, n += 16) {
    const gradient = v128.load(g);
    const before = v128.load(n);
    const squares = f32x4.add(before, f32x4.mul(gradient, gradient));
    const root = f32x4.sqrt(squares);
    const sigma = f32x4.mul(f32x4.sub(root, f32x4.sqrt(before)), inverseRates);
    const linear = f32x4.sub(f32x4.add(v128.load(z), gradient), f32x4.mul(sigma, v128.load(p)));
    v128.store(n, squares);
    v128.store(z, linear);
    const shrunk = v128.or(
      v128.and(f32x4.gt(linear, above), f32x4.sub(above, linear)),
      v128.and(f32x4.lt(linear, below), f32x4.sub(below, linear)),
    );
    const quotient = f32x4.div(shrunk, f32x4.add(f32x4.mul(root, inverseRates), offsets));
    v128.store(out, v128.and(f32x4.ne(shrunk, zeros), quotient));
  }
}
