import { encodeBlocks, encodedBytes } from '@tributary/core/codec/blocks.ts';
import { floatOf } from '@tributary/core/codec/floatBits.ts';
import { type CodecName, codecs, createCodec } from '@tributary/core/codec/table.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import { describe, expect, test } from 'vitest';
import { type CodecLaws, codecLaws } from '../laws/codec.laws.ts';
import { caught } from './caught.ts';

const half = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 2;
/** The bounds that the codecs' files claim. */
const claims: Record<CodecName, CodecLaws> = {
  f32: { bound: () => 0, contraction: () => 0, conveysAll: true },
  bf16: {
    bound: (block, index) => Math.max(Math.abs(block[index]) * 2 ** -8, 2 ** -134),
    contraction: () => 2 ** -8,
    conveysAll: true,
  },
  f16: {
    bound: (block, index) => Math.max(Math.abs(block[index]) * 2 ** -11, 2 ** -25),
    contraction: () => 2 ** -8,
    conveysAll: true,
  },
  int8: {
    // Of the whole block, whose groups have scales of their own, none greater.
    bound: (block) => (half(block) / 127) * 1.0001,
    contraction: () => 0.1,
    conveysAll: false,
  },
  // Whoever is not sent is not greater than any that is; and sqrt(1 - density) is left of the norm at most.
  topk: { bound: (block) => 2 * half(block), contraction: () => Math.sqrt(1 - 0.05), conveysAll: false },
  sign: { bound: (block) => 2 * half(block), contraction: () => 1, conveysAll: false },
};

for (const name of Object.keys(codecs) as CodecName[]) {
  const codec = createCodec({ name, options: name === 'topk' ? { density: 0.05 } : {} });
  describe(`${name}, plain`, () => codecLaws(codec, claims[name], () => plainKernels));
  describe(`${name}, simd`, () => codecLaws(codec, claims[name], createSimdKernels));
}

const kernels = createSimdKernels();

/** Through the codec, by the SIMD kernels and the plain loops in turn. */
function through(name: CodecName, given: Float32Array): Float32Array[] {
  const codec = createCodec({ name });
  return [kernels, plainKernels].map((some) => {
    const values = some.allocate(given.length);
    values.set(given);
    const bytes = new Uint8Array(encodedBytes(codec, given.length));
    some.encode(codec, values, bytes);
    some.decode(codec, bytes, values);
    return values;
  });
}

test('f16 is binary16: every one of them, and whatever lies between', () => {
  const all = new Float32Array(
    new Float16Array(Uint16Array.from({ length: 65536 }, (_, word) => word).buffer),
  );
  const finite = all.filter((value) => Number.isFinite(value));
  const sorted = finite.toSorted();
  // Halfway between two neighbours, and the float32 right beside.
  const between = sorted.subarray(1).map((value, index) => (value + sorted[index]) / 2);
  const beside = between.map((value) => value * (1 + 2 ** -23));
  for (const given of [all, between, beside, beside.map((value) => value * (1 - 2 ** -22))]) {
    const expected = new Float32Array(new Float16Array(given));
    for (const [index, value] of given.entries())
      if (Number.isFinite(value)) expected[index] = Math.max(-65504, Math.min(expected[index], 65504));
    for (const found of through('f16', given)) expect(found).toEqual(expected);
  }
});

test('bf16 is the nearest number with 8 bits of precision, the even one of two', () => {
  const given = Float32Array.from({ length: 200_000 }, (_, index) =>
    floatOf(Math.imul(index, 0x9e3779b1) >>> 0),
  );
  // Exactly between two.
  for (let index = 0; index < 1000; index++) given[index] = floatOf((index * 0x3b0000 + 0x8000) >>> 0);
  const spacing = (value: number) => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(value)))) - 7);
  for (const found of through('bf16', given)) {
    for (const [index, value] of given.entries()) {
      if (!Number.isFinite(value) || Math.abs(value) > 3.3e38) continue;
      const unit = spacing(value);
      const below = Math.floor(value / unit);
      const middle = value / unit - below - 0.5;
      const even = below % 2 === 0 ? below : below + 1;
      const nearest = middle === 0 ? even : middle < 0 ? below : below + 1;
      if (found[index] !== nearest * unit) expect([value, found[index]]).toEqual([value, nearest * unit]);
    }
  }
});

test('of equal magnitudes top-k takes the first', () => {
  const codec = createCodec({ name: 'topk', options: { density: 3 / 1024 } });
  const values = new Float32Array(1024).fill(-1);
  values[1000] = 2;
  const bytes = new Uint8Array(encodedBytes(codec, 1024));
  encodeBlocks(codec, values, bytes);
  expect(new Uint16Array(bytes.buffer, 0, 3)).toEqual(Uint16Array.of(0, 1, 1000));
});

test('places of top-k that do not ascend, or lie beyond the block, are refused and nothing else is written', () => {
  const codec = createCodec({ name: 'topk', options: { density: 2 / 1024 } });
  for (const places of [
    [5, 5],
    [6, 5],
    [5, 1024],
    [0, 65535],
  ]) {
    for (const some of [kernels, plainKernels]) {
      const values = some.allocate(2048).fill(7);
      const bytes = new Uint8Array(codec.blockBytes(1024));
      new Uint16Array(bytes.buffer, 0, 2).set(places);
      expect(some.decode(codec, bytes, values.subarray(0, 1024))).toBe(false);
      expect(values.subarray(1024).every((value) => value === 7)).toBe(true);
    }
  }
  expect(plainKernels.decode(codec, Uint8Array.of(0, 2, 0, 0, 0, 0), new Float32Array(512))).toBe(false);
});

test('unknown encodings and options are named, with what there is', () => {
  expect(caught(() => createCodec({ name: 'int4' }))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'there is no encoding "int4"',
    hint: 'Use one of: f32, bf16, f16, int8, topk, sign.',
  });
  expect(caught(() => createCodec({ name: 'topk', options: { keep: 1 } }))).toMatchObject({
    message: 'encoding "topk" has no option "keep"',
    hint: 'Its options: density, momentum.',
  });
  for (const options of [{ density: 0 }, { density: 0.6 }, { momentum: 1 }, { density: Number.NaN }]) {
    expect(caught(() => createCodec({ name: 'topk', options })).message).toMatch(/^encoding "topk": \w+ is /);
  }
});
