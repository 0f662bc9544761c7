import { philox4x32 } from './philox.ts';

/** A source of numbers, each uniform in [0, 1). */
export type RandomSource = () => number;

/**
 * Uniform numbers one after the other, the same for the same seed (a safe integer) and stream (0 ... 2^32 - 1), for algorithms that draw without a natural
 * address for each number, such as Monte Carlo. Blocks of Philox under a running counter: 2^66 numbers before they repeat.
 */
export function createUniforms(seed: number, stream = 0): RandomSource {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  let block = 0;
  let words = new Uint32Array(0);
  let next = 0;
  return () => {
    if (next === words.length) {
      words = philox4x32([block >>> 0, Math.floor(block / 2 ** 32), stream, uniformsStream], key);
      block++;
      next = 0;
    }
    return words[next++] * 2 ** -32;
  };
}

/** Keeps these numbers apart from other draws of the same seed. */
const uniformsStream = 0x756e6966;
