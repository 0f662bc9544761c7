import { randomUint32 } from '@tributary/core/random/philox.ts';

/** Reproducible float32 numbers of either sign and of sizes from about 1e-3 to 1e3. */
export function randomVector(seed: number, length: number): Float32Array {
  const scale = 2 ** -31;
  return Float32Array.from({ length }, (_, index) => {
    const sign = randomUint32(seed, index, 0) * scale - 1;
    return sign * 10 ** ((randomUint32(seed, index, 1) * scale - 1) * 3);
  });
}
