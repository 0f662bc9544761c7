import type { Ising } from '../ising/Ising.ts';

/** Flips, in place, the bit that lowers the energy most until none does: a local minimum. */
export function descend({ size, field, coupling }: Ising, bits: Uint8Array): void {
  const locals = field.slice();
  for (let u = 0; u < size; u++) {
    for (let v = 0; v < size; v++) locals[u] += coupling[u * size + v] * (1 - 2 * bits[v]);
  }
  for (;;) {
    let best = -1;
    // The least gain worth a flip is above rounding, so that the descent ends.
    let change = -1e-12 * Math.max(...locals.map(Math.abs));
    for (let u = 0; u < size; u++) {
      const flip = -2 * (1 - 2 * bits[u]) * locals[u];
      if (flip < change) {
        best = u;
        change = flip;
      }
    }
    if (best < 0) return;
    bits[best] ^= 1;
    const turned = 2 * (1 - 2 * bits[best]);
    for (let v = 0; v < size; v++) locals[v] += coupling[best * size + v] * turned;
  }
}
