/**
 * The product of packages/core/src/optimizer/matrix/multiply.ts, four rows by four columns at a time in registers: every element is the sum over k in order, so the bits are those of
 * the plain loop. Byte addresses: `a` has `rows` rows of `inner` doubles; `b` panels of four columns, each `inner` rows of four doubles; `out` rows of `columns` doubles.
 * Rows and columns are multiples of four.
 */
export function multiplyPanels(a: usize, b: usize, out: usize, rows: u32, inner: u32, columns: u32): void {
  const rowBytes = (<usize>inner) << 3;
  const outBytes = (<usize>columns) << 3;
  const aEnd = a + <usize>rows * rowBytes;
  const outEnd = out + outBytes;
  for (; out < outEnd; out += 32, b += rowBytes << 2) {
    let to = out;
    for (let row = a; row < aEnd; row += rowBytes << 2, to += outBytes << 2) {
      let c00 = f64x2.splat(0);
      let c01 = c00;
      let c10 = c00;
      let c11 = c00;
      let c20 = c00;
      let c21 = c00;
      let c30 = c00;
      let c31 = c00;
      let from = b;
      for (let a0 = row, a0End = row + rowBytes; a0 < a0End; a0 += 8, from += 32) {
        const a1 = a0 + rowBytes;
        const a2 = a1 + rowBytes;
        const b0 = v128.load(from);
        const b1 = v128.load(from, 16);
        let factor = v128.load64_splat(a0);
        c00 = f64x2.add(c00, f64x2.mul(factor, b0));
        c01 = f64x2.add(c01, f64x2.mul(factor, b1));
        factor = v128.load64_splat(a1);
        c10 = f64x2.add(c10, f64x2.mul(factor, b0));
        c11 = f64x2.add(c11, f64x2.mul(factor, b1));
        factor = v128.load64_splat(a2);
        c20 = f64x2.add(c20, f64x2.mul(factor, b0));
        c21 = f64x2.add(c21, f64x2.mul(factor, b1));
        factor = v128.load64_splat(a2 + rowBytes);
        c30 = f64x2.add(c30, f64x2.mul(factor, b0));
        c31 = f64x2.add(c31, f64x2.mul(factor, b1));
      }
      const to1 = to + outBytes;
      const to2 = to1 + outBytes;
      const to3 = to2 + outBytes;
      v128.store(to, c00);
      v128.store(to, c01, 16);
      v128.store(to1, c10);
      v128.store(to1, c11, 16);
      v128.store(to2, c20);
      v128.store(to2, c21, 16);
      v128.store(to3, c30);
      v128.store(to3, c31, 16);
    }
  }
}
