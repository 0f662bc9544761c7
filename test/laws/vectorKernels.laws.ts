import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { clipByValue } from '@tributary/core/optimizer/clip.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { blockSquares } from '@tributary/core/reduction/blockSquares.ts';
import { addInto } from '@tributary/core/reduction/TreeSum.ts';
import { expect, test } from 'vitest';
import { elementVariants } from '../core/optimizerVariants.ts';
import { randomVector } from '../core/randomVector.ts';

/** None, less than a register, whole registers, blocks and what hangs over. */
const lengths = [0, 1, 3, 4, 5, 64, 1023, 1024, 2051];

/** Numbers at which arithmetic is strange: signed zeros, subnormals, the greatest. */
const strange = [0, -0, 1e-45, -1e-45, 1.1754942e-38, -3e-39, 3.4e38, -3.4e38, 1, -1];

/** To the last bit, the sign of zeros included; only NaN has many bit patterns, which no standard fixes. */
function expectSameBits(actual: Float32Array | Float64Array, expected: Float32Array | Float64Array): void {
  expect(actual.length).toBe(expected.length);
  const different = actual.findIndex((value, index) => !Object.is(value, expected[index]));
  expect([different, actual[different]]).toEqual([-1, undefined]);
}

/** What every implementation of VectorKernels keeps: the bits of the plain functions. */
export function vectorKernelLaws(create: () => VectorKernels): void {
  const kernels = create();

  const ordinary = Array.from({ length: 10 }, (_, seed) => randomVector(seed, 2051));

  /** A vector where the kernels want it, with ordinary and strange numbers. */
  function vector(seed: number, length: number): Float32Array {
    const allocated = kernels.allocate(length);
    allocated.set(ordinary[seed].subarray(0, length));
    for (let index = seed % 7; index < length; index += 13)
      allocated[index] = strange[(index + seed) % strange.length];
    return allocated;
  }

  test('a new vector is zeros, apart from all others, and stays where it is', () => {
    const first = kernels.allocate(5).fill(1);
    const others = [3, 0, 1_000_000, 17].map((length) => kernels.allocate(length));
    for (const other of others) {
      expect(other.every((value) => value === 0)).toBe(true);
      other.fill(2);
    }
    expect(first).toEqual(new Float32Array(5).fill(1));
    expect(others[1].length).toBe(0);
  });

  test.each(elementVariants)('$title: the bits of the optimizer itself, over some steps', ({ spec }) => {
    const optimizer = createOptimizer(spec);
    const learningRate = Number(optimizer.hyperparameters.learningRate);
    for (const length of lengths) {
      const parameters = vector(1, length);
      const out = kernels.allocate(length);
      const slots = optimizer.slots.map((slot) =>
        optimizer.beginSlot(slot, kernels.allocate(length), parameters),
      );
      const expected = parameters.slice();
      const expectedSlots = slots.map((slot) => slot.slice());
      for (let count = 1; count <= 8; count++) {
        // Gradients whose squares stay finite.
        const gradient = vector(count + 1, length).map((value) => Math.max(-1e15, Math.min(value, 1e15)));
        const held = kernels.allocate(length);
        held.set(gradient);
        const step = { count, learningRate };
        optimizer.update(expected, expected, gradient, expectedSlots, step);
        // Out of place, in place, and into the gradient in turn.
        const target = [held, out, out][count % 3];
        kernels.update(optimizer, target, count % 3 === 1 ? parameters : out, held, slots, step);
        out.set(target);
        parameters.set(out);
        expectSameBits(out, expected);
        for (const [index, slot] of slots.entries()) expectSameBits(slot, expectedSlots[index]);
      }
    }
  });

  test('add, scale, divide, clip and block sums have the bits of the plain loops', () => {
    for (const length of lengths) {
      const [target, source] = [vector(1, length), vector(2, length)];
      const sum = target.slice();
      addInto(sum, source);
      expect(kernels.add(target, source)).toBe(true);
      expectSameBits(target, sum);

      const scaled = kernels.allocate(length);
      expect(kernels.scale(scaled, source, 1 / 3)).toBe(true);
      expectSameBits(
        scaled,
        source.map((value) => value * Math.fround(1 / 3)),
      );

      for (const divisor of [1, 3, 1000, 2 ** 24 + 1, 0.1, 1e30]) {
        const quotient = kernels.allocate(length);
        quotient.set(source);
        kernels.divide(quotient, divisor);
        expectSameBits(
          quotient,
          source.map((value) => value / divisor),
        );
      }

      const clipped = source.slice();
      clipByValue(clipped, 0.1);
      const squares = blockSquares(source);
      expectSameBits(kernels.blockSquares(source), squares);
      kernels.clip(source, 0.1);
      expectSameBits(source, clipped);
    }
  });

  test('a number that is not finite is found wherever it stands, by every pass that reads it', () => {
    const length = 1029;
    const target = kernels.allocate(length);
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const place of [0, 1, 2, 3, 500, 1023, 1024, 1027, 1028]) {
        const source = vector(3, length);
        expect(kernels.allFinite(source)).toBe(true);
        source[place] = wrong;
        expect(kernels.allFinite(source)).toBe(false);
        expect(kernels.add(target, source)).toBe(false);
        expect(kernels.scale(target, source, 2)).toBe(false);
        expect(Number.isFinite(kernels.blockSquares(source).reduce((a, b) => a + b))).toBe(false);
        kernels.clip(source, 1);
        expect(source[place]).toBe(Number.isNaN(wrong) ? Number.NaN : Math.sign(wrong));
      }
    }
  });

  test('the greatest float32 numbers are finite, and so are the sums of their squares', () => {
    const values = kernels.allocate(2048).fill(3.4028234663852886e38);
    expect(kernels.allFinite(values)).toBe(true);
    expect(kernels.blockSquares(values).every(Number.isFinite)).toBe(true);
  });

  test('parts of vectors, at any element, and vectors from elsewhere do as well', () => {
    const whole = vector(1, 100);
    const other = vector(2, 100);
    const expected = whole.slice();
    addInto(expected.subarray(3, 50), other.subarray(1, 48));
    kernels.add(whole.subarray(3, 50), other.subarray(1, 48));
    expectSameBits(whole, expected);
    addInto(expected, randomVector(5, 100));
    kernels.add(whole, randomVector(5, 100));
    expectSameBits(whole, expected);
  });

  test('vectors of different lengths are a broken invariant', () => {
    const optimizer = createOptimizer({ name: 'sgd', hyperparameters: {} });
    const [three, four] = [kernels.allocate(3), kernels.allocate(4)];
    expect(() => kernels.add(three, four)).toThrow('broken invariant');
    expect(() => kernels.scale(three, four, 1)).toThrow('broken invariant');
    expect(() => kernels.update(optimizer, three, three, four, [], { count: 1, learningRate: 1 })).toThrow(
      'broken invariant',
    );
    expect(() =>
      kernels.update(optimizer, three, three, three, [three], { count: 1, learningRate: 1 }),
    ).toThrow('broken invariant');
  });
}
