import { invariant } from '../errors/invariant.ts';
import { randomUint32 } from './philox.ts';

const rounds = 8;

/**
 * A pseudo-random order of 0 ... n-1 of which any place can be asked for: no table, no state, the same in every process.
 *
 * A Feistel network over the least number of bits that hold n: each round changes one half of the bits by a hash of the other, which can
 * be undone, so the whole is a bijection whatever the hash. Results of n or more are sent through again ("cycle walking", Black & Rogaway, "Ciphers
 * with Arbitrary Finite Domains", 2002), fewer than once on average. (A shuffled table is as good, but is 4 n bytes in every worker and O(n) at
 * each epoch.)
 */
export function createPermutation(n: number, seed: number, epoch: number): (index: number) => number {
  invariant(Number.isInteger(n) && n >= 1 && n <= 2 ** 32, `a permutation of ${n} numbers`);
  // At least one bit for each half.
  const bits = Math.max(2, Math.ceil(Math.log2(n)));
  const lowBits = bits >>> 1;
  const lowMask = 2 ** lowBits - 1;
  const highMask = 2 ** (bits - lowBits) - 1;
  const keys = Uint32Array.from({ length: rounds }, (_, round) =>
    randomUint32(seed, epoch, round, permutationStream),
  );
  return (index) => {
    invariant(index >= 0 && index < n, `place ${index} of a permutation of ${n} numbers`);
    let value = index;
    do {
      let low = value & lowMask;
      let high = value >>> lowBits;
      for (let round = 0; round < rounds; round += 2) {
        high ^= hash(low ^ keys[round]) & highMask;
        low ^= hash(high ^ keys[round + 1]) & lowMask;
      }
      value = ((high << lowBits) | low) >>> 0;
    } while (value >= n);
    return value;
  };
}

/** Keeps the keys apart from other draws of the same seed. */
const permutationStream = 0x7065726d;

/** Every bit of the result depends on every bit of the word: "lowbias32" of Wellons' hash prospector, 2018. */
function hash(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
