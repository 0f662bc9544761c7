import { decodeBlocks, encodeBlocks, encodedBytes } from '@tributary/core/codec/blocks.ts';
import type { Codec } from '@tributary/core/codec/Codec.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { blockElements } from '@tributary/core/partition/partition.ts';
import { expect, test } from 'vitest';
import { randomVector } from '../core/randomVector.ts';

export interface CodecLaws {
  /** The greatest error of one element, given the block. */
  bound(block: Float32Array, index: number): number;
  /** The norm of what a block of n elements loses is at most this part of its norm. */
  contraction(elements: number): number;
  /** Are infinities and NaN handed on? Parameters may be so; a gradient is not sent then. */
  conveysAll: boolean;
}

/** What holds for every codec, with the plain loops as with the SIMD kernels. */
export function codecLaws(codec: Codec, laws: CodecLaws, makeKernels: () => VectorKernels): void {
  const kernels = makeKernels();
  const lengths = [1, 7, 255, 256, 257, 1023, 1024, 1025, 3 * 1024 + 600, 70 * 1024];

  const vector = (seed: number, length: number): Float32Array => {
    const values = kernels.allocate(length);
    values.set(awkward(randomVector(seed, length)));
    return values;
  };

  const roundTrip = (values: Float32Array) => {
    const bytes = new Uint8Array(encodedBytes(codec, values.length));
    const decoded = kernels.allocate(values.length).fill(7);
    kernels.encode(codec, values, bytes);
    expect(kernels.decode(codec, bytes, decoded)).toBe(true);
    return { bytes, decoded, lost: values };
  };

  test('has the bits of the plain loops, and leaves what is lost', () => {
    for (const length of lengths) {
      const original = vector(length, length).slice();
      const plain = original.slice();
      const expected = new Uint8Array(encodedBytes(codec, length));
      encodeBlocks(codec, plain, expected);
      const decodedPlainly = new Float32Array(length);
      expect(decodeBlocks(codec, expected, decodedPlainly)).toBe(true);

      const { bytes, decoded, lost } = roundTrip(vector(length, length));
      expect(Buffer.compare(bytes, expected)).toBe(0);
      expectSameBits(decoded, decodedPlainly);
      expectSameBits(lost, plain);
      expectSameBits(
        lost,
        original.map((value, index) => value - decoded[index]),
      );
      if (codec.lossless) expectSameBits(decoded, original);
    }
  });

  test('errs within its bound, element by element and in norm', () => {
    for (const length of lengths) {
      const original = vector(length + 1, length).slice();
      const { lost } = roundTrip(vector(length + 1, length));
      for (let begin = 0; begin < length; begin += blockElements) {
        const block = original.subarray(begin, begin + blockElements);
        const rest = lost.subarray(begin, begin + blockElements);
        const beyond = rest.findIndex((value, index) => Math.abs(value) > laws.bound(block, index));
        expect([block[beyond], rest[beyond]]).toEqual([undefined, undefined]);
        expect(norm(rest)).toBeLessThanOrEqual(laws.contraction(block.length) * norm(block));
      }
    }
  });

  test('a block is encoded alike wherever it stands', () => {
    const { bytes } = roundTrip(vector(5, 5 * blockElements));
    const third = roundTrip(vector(5, 5 * blockElements).subarray(2 * blockElements, 3 * blockElements));
    const size = codec.blockBytes(blockElements);
    expect(Buffer.compare(third.bytes, bytes.subarray(2 * size, 3 * size))).toBe(0);
  });

  test('with error feedback what was sent adds up to what was to be sent', () => {
    const length = 2 * blockElements + 100;
    const owed = kernels.allocate(length);
    const [truth, sent] = [new Float64Array(length), new Float64Array(length)];
    // Of steps in the middle and at the end: what is owed does not grow with the number of steps.
    const owedNorms: number[] = [];
    const drift = randomVector(99, length);
    for (let step = 0; step < 200; step++) {
      const gradient = randomVector(step, length).map((value, index) => value + drift[index]);
      kernels.add(owed, Float32Array.from(gradient));
      const { decoded } = roundTrip(owed);
      for (let index = 0; index < length; index++) {
        truth[index] += gradient[index];
        sent[index] += decoded[index];
      }
      if (step === 99 || step === 199) owedNorms.push(norm(owed));
    }
    const worst = truth.reduce(
      (most, value, index) => Math.max(most, Math.abs(value - sent[index] - owed[index])),
      0,
    );
    // Rounding of float32 sums, 200 times.
    expect(worst).toBeLessThan(200 * 2 ** -24 * Math.max(...truth.map(Math.abs)));
    expect(owedNorms[1]).toBeLessThanOrEqual(1.5 * owedNorms[0]);
  });

  test('zeros stay zeros, and the greatest and the least numbers stay finite', () => {
    for (const value of [0, -0, 3.4028234663852886e38, -3.4028234663852886e38, 1.401298464324817e-45]) {
      const { decoded, lost } = roundTrip(kernels.allocate(2000).fill(value));
      expect(decoded.every(Number.isFinite) && lost.every(Number.isFinite)).toBe(true);
      if (value === 0) expect(decoded.every((zero) => zero === 0)).toBe(true);
    }
  });

  if (laws.conveysAll) {
    test('NaN and infinities are handed on as they are', () => {
      const values = kernels.allocate(1100);
      const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const place of [0, 500, 1023, 1024, 1097]) values.set(special, Math.min(place, 1097));
      const original = values.slice();
      const { decoded } = roundTrip(values);
      for (const [index, value] of original.entries())
        if (!Number.isFinite(value)) expect(decoded[index]).toBe(value);
    });
  }
}

/** Numbers of all sizes, with zeros of both signs, equal magnitudes and subnormal numbers among them. */
function awkward(values: Float32Array): Float32Array {
  return values.map((value, index) => {
    if (index % 11 === 0) return index % 2 === 0 ? 0 : -0;
    if (index % 13 === 0) return index % 2 === 0 ? 0.25 : -0.25;
    if (index % 17 === 0) return value * 1e-40;
    return value * 2 ** ((index % 23) - 20);
  });
}

export function norm(values: Float32Array): number {
  return Math.hypot(...values);
}

function expectSameBits(found: Float32Array, expected: Float32Array): void {
  const words = (values: Float32Array) => new Uint32Array(values.slice().buffer);
  const wanted = words(expected);
  expect(words(found).findIndex((word, index) => word !== wanted[index])).toBe(-1);
}
