import { decodeHeader, encodeHeader } from '@tributary/core/checkpoint-format/header.ts';
import { decodeSafetensors, encodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { caught } from './caught.ts';
import { randomVector } from './randomVector.ts';

const shapes = fc.uniqueArray(
  fc.record({
    name: fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);

test('a file is read back as it was written, whatever names and shapes', () => {
  fc.assert(
    fc.property(shapes, fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (tensors, metadata) => {
      const layout = createLayout(tensors);
      const flat = randomVector(1, layout.length);
      const file = encodeSafetensors(layout, flat, metadata);
      const read = decodeSafetensors(file);
      expect(read.flat).toEqual(flat);
      expect({ ...read.metadata }).toEqual({ ...metadata });
      const byName = (list: readonly { name: string }[]) =>
        list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const places = ({ tensors }: typeof layout) => byName(tensors.filter(({ length }) => length > 0));
      expect(places(read.layout)).toEqual(places(layout));
      expect(decodeHeader(file).headerBytes % 8).toBe(0);
    }),
    { numRuns: 300, seed: 3 },
  );
});

test('a checkpoint is read as its parameters, without the optimizer slots', () => {
  const layout = createLayout([
    { name: 'w', shape: [2, 2] },
    { name: 'b', shape: [] },
  ]);
  const header = encodeHeader(layout, [{ name: 'm', layout }], {});
  const data = randomVector(2, 10);
  const file = new Uint8Array(header.length + 40);
  file.set(header);
  file.set(new Uint8Array(data.buffer), header.length);
  const read = decodeSafetensors(file);
  expect(read.layout).toEqual(layout);
  expect(read.flat).toEqual(data.subarray(0, 5));
});

test('a view into a larger buffer, at an odd address, is read and written', () => {
  const layout = createLayout([{ name: 'w', shape: [3] }]);
  const flat = Float32Array.of(9, 1, 2, 3, 9).subarray(1, 4);
  const file = encodeSafetensors(layout, flat);
  const shifted = new Uint8Array(file.length + 3);
  shifted.set(file, 3);
  expect(decodeSafetensors(shifted.subarray(3)).flat).toEqual(Float32Array.of(1, 2, 3));
});

/** A file with one tensor of any type. */
function fileOf(dtype: string, shape: readonly number[], data: Uint8Array): Uint8Array {
  const entry = { w: { dtype, shape, data_offsets: [0, data.length] } };
  const json = new TextEncoder().encode(JSON.stringify(entry));
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
  return Uint8Array.from([...length, ...json, ...data]);
}

test('floats of other widths become float32', () => {
  const values = [1, -0.5, 65504, 2 ** -14, 0];
  const cases = {
    F64: new Uint8Array(Float64Array.from([...values, 0.1]).buffer),
    F16: new Uint8Array(Float16Array.from(values).buffer),
    // The upper halves of float32 1, -0.5, 2^100 and NaN.
    BF16: new Uint8Array(Uint16Array.of(0x3f80, 0xbf00, 0x7180, 0x7fc0).buffer),
  };
  const read = (dtype: keyof typeof cases, count: number) =>
    decodeSafetensors(fileOf(dtype, [count], cases[dtype])).flat;
  expect(read('F64', 6)).toEqual(Float32Array.from([...values, 0.1]));
  expect(read('F16', 5)).toEqual(Float32Array.from(values));
  expect(read('BF16', 4)).toEqual(Float32Array.of(1, -0.5, 2 ** 100, Number.NaN));
});

test('a tensor that is no float is named', () => {
  const read = decodeSafetensors(fileOf('I32', [2], new Uint8Array(8)));
  expect(read.others).toEqual([{ name: 'w', dtype: 'I32' }]);
  expect(read.layout.tensors).toEqual([]);
});

test('a file cut short is refused', () => {
  const file = encodeSafetensors(createLayout([{ name: 'w', shape: [3] }]), Float32Array.of(1, 2, 3));
  for (const length of [file.length - 1, file.length - 12]) {
    expect(caught(() => decodeSafetensors(file.subarray(0, length)))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  }
});
