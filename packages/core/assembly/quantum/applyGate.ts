/**
 * The loop of packages/core/src/quantum/state/applyGate.ts over two amplitudes at a time, with every operation in the same order: the same bits.
 * `re` and `im` are the byte addresses of a state's two parts of `bytes` each; `target` is a qubit from 1 on, so that neighbours go the same way.
 */
export function applyGate(
  re: usize,
  im: usize,
  bytes: usize,
  target: u32,
  ar: f64,
  ai: f64,
  br: f64,
  bi: f64,
  cr: f64,
  ci: f64,
  dr: f64,
  di: f64,
): void {
  const ars = f64x2.splat(ar);
  const ais = f64x2.splat(ai);
  const brs = f64x2.splat(br);
  const bis = f64x2.splat(bi);
  const crs = f64x2.splat(cr);
  const cis = f64x2.splat(ci);
  const drs = f64x2.splat(dr);
  const dis = f64x2.splat(di);
  const stride = (<usize>8) << target;
  const end = re + bytes;
  while (re < end) {
    for (const runEnd = re + stride; re < runEnd; re += 16, im += 16) {
      const xr = v128.load(re);
      const xi = v128.load(im);
      const yr = v128.load(re + stride);
      const yi = v128.load(im + stride);
      v128.store(re, realPart(ars, ais, xr, xi, brs, bis, yr, yi));
      v128.store(im, imaginaryPart(ars, ais, xr, xi, brs, bis, yr, yi));
      v128.store(re + stride, realPart(crs, cis, xr, xi, drs, dis, yr, yi));
      v128.store(im + stride, imaginaryPart(crs, cis, xr, xi, drs, dis, yr, yi));
    }
    re += stride;
    im += stride;
  }
}

/** Of g x + h y, complex products; the compiler puts it in place. */
function realPart(gr: v128, gi: v128, xr: v128, xi: v128, hr: v128, hi: v128, yr: v128, yi: v128): v128 {
  const first = f64x2.sub(f64x2.mul(gr, xr), f64x2.mul(gi, xi));
  return f64x2.sub(f64x2.add(first, f64x2.mul(hr, yr)), f64x2.mul(hi, yi));
}

function imaginaryPart(gr: v128, gi: v128, xr: v128, xi: v128, hr: v128, hi: v128, yr: v128, yi: v128): v128 {
  const first = f64x2.add(f64x2.mul(gr, xi), f64x2.mul(gi, xr));
  return f64x2.add(f64x2.add(first, f64x2.mul(hr, yi)), f64x2.mul(hi, yr));
}
