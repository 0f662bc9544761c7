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
  const header = encodeHeader(layout, ['m'], {});
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

test('a tensor that is not float32, and a file cut short, are refused', () => {
  const file = encodeSafetensors(createLayout([{ name: 'w', shape: [3] }]), Float32Array.of(1, 2, 3));
  const text = new TextDecoder('latin1').decode(file).replace('F32', 'I32');
  const integers = Uint8Array.from(text, (character) => character.charCodeAt(0));
  expect(caught(() => decodeSafetensors(integers)).line).toBe(
    'tensor "w" of the safetensors file is I32. Only float32 (F32) can be read: convert the file first.',
  );
  for (const length of [file.length - 1, file.length - 12]) {
    expect(caught(() => decodeSafetensors(file.subarray(0, length)))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  }
});
