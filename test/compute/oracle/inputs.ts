import type { Input } from './checkCase.ts';

/** A stream of numbers that is the same on every machine (mulberry32). */
export function randomStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

let seed = 1;
const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

function fill(shape: readonly number[], element: (random: () => number) => number): Float32Array {
  const random = randomStream(seed++);
  return Float32Array.from({ length: size(shape) }, () => element(random));
}

/** Standard normal. */
export function normal(...shape: number[]): Input {
  const data = fill(
    shape,
    (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
  return { shape, dtype: 'float32', data };
}

/** Uniform between `low` and `high`. */
export function uniform(low: number, high: number, ...shape: number[]): Input {
  return { shape, dtype: 'float32', data: fill(shape, (random) => low + (high - low) * random()) };
}

/** Positive, away from 0. */
export function positive(...shape: number[]): Input {
  return uniform(0.5, 2, ...shape);
}

/** Whole numbers from 0 to `below`. */
export function integers(below: number, ...shape: number[]): Input {
  return {
    shape,
    dtype: 'int32',
    data: Int32Array.from(fill(shape, (random) => Math.floor(random() * below))),
  };
}

/** Whole numbers of either sign. */
export function signedIntegers(bound: number, ...shape: number[]): Input {
  return {
    shape,
    dtype: 'int32',
    data: Int32Array.from(fill(shape, (random) => Math.round((2 * random() - 1) * bound))),
  };
}

export function unsigned(...shape: number[]): Input {
  const random = randomStream(seed++);
  return {
    shape,
    dtype: 'uint32',
    data: Uint32Array.from({ length: size(shape) }, () => random() * 2 ** 32),
  };
}

export function truths(...shape: number[]): Input {
  return { shape, dtype: 'bool', data: Uint8Array.from(fill(shape, (random) => Math.round(random()))) };
}

export function vector(...values: number[]): Input {
  return { shape: [values.length], dtype: 'float32', data: Float32Array.from(values) };
}

/** Well conditioned: its symmetric part is positive definite. */
export function matrix(n: number): Input {
  const input = normal(n, n);
  for (let k = 0; k < n; k++) input.data[k * n + k] += 2 * n;
  return input;
}
