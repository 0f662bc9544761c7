/**
 * Random numbers by address: a counter-based generator needs no state to save, so that what a rank draws depends on
 * (seed, rank, step) alone and not on what was drawn before.
 *
 * Philox4x32-10 of Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011: ten rounds turn four counter words and two key words
 * into four random ones. It passes BigCrush.
 */
export function philox4x32(counter: readonly number[], key: readonly number[]): Uint32Array<ArrayBuffer> {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return Uint32Array.of(c0, c1, c2, c3);
}

/** A uniform integer in 0 ... 2^32 - 1 for a seed (a safe integer) and up to four counters (each taken modulo 2^32). */
export function randomUint32(seed: number, ...counters: [number, number?, number?, number?]): number {
  const [c0, c1 = 0, c2 = 0, c3 = 0] = counters;
  return philox4x32([c0, c1, c2, c3], [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0])[0];
}

/** Bits 32 to 63 of the product of two unsigned words. A double holds 53 bits, hence the halves. */
function multiplyHigh(a: number, b: number): number {
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = a * bHigh + Math.floor((a * bLow) / 65536);
  return Math.floor(middle / 65536) >>> 0;
}
