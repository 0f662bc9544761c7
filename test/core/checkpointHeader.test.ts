import { decodeHeader, encodeHeader, headerBytes } from '@tributary/core/checkpoint-format/header.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { expect, test } from 'vitest';
import { caught } from './caught.ts';

const layout = createLayout([
  { name: 'dense/kernel', shape: [2, 3] },
  { name: '7', shape: [] },
  { name: 'empty', shape: [0, 4] },
  { name: 'übung "x"', shape: [2] },
]);
const slots = ['m', 'v'].map((name) => ({ name, layout }));

/** A file with the given JSON text as its header, and some data. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

test('what was encoded is decoded: parameters, then the slots, in the order of the flat vector', () => {
  const bytes = encodeHeader(layout, slots, { step: '12', job: 'mnist' });
  const header = decodeHeader(bytes, bytes.length + 3 * layout.length * 4);
  expect(header.metadata).toEqual({ step: '12', job: 'mnist' });
  expect(header.headerBytes).toBe(bytes.length);
  expect(header.dataBytes).toBe(3 * layout.length * 4);
  expect(header.tensors.map(({ name }) => name)).toEqual([
    ...['dense/kernel', '7', 'empty', 'übung "x"'],
    ...['optimizer/m/dense/kernel', 'optimizer/m/7', 'optimizer/m/empty', 'optimizer/m/übung "x"'],
    ...['optimizer/v/dense/kernel', 'optimizer/v/7', 'optimizer/v/empty', 'optimizer/v/übung "x"'],
  ]);
  expect(header.tensors[4]).toEqual({
    name: 'optimizer/m/dense/kernel',
    dtype: 'F32',
    shape: [2, 3],
    begin: layout.length * 4,
    end: layout.length * 4 + 24,
  });
});

test('its size depends on layout and slots alone, and data begin at a multiple of 8', () => {
  const sizes = [{}, { a: 'b' }, { long: 'x'.repeat(4000) }].map(
    (meta) => encodeHeader(layout, slots, meta).length,
  );
  expect(new Set(sizes)).toEqual(new Set([headerBytes(layout, slots)]));
  expect(sizes[0] % 8).toBe(0);
  expect(headerBytes(layout, [])).toBeLessThan(sizes[0]);
});

test('metadata that do not fit are refused', () => {
  const error = caught(() =>
    encodeHeader(layout, slots, { long: 'x'.repeat(limits.checkpointMetadataBytes) }),
  );
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(error.line).toContain(`At most ${limits.checkpointMetadataBytes} bytes`);
});

test('a parameter whose name is taken is refused', () => {
  for (const names of [['__metadata__'], ['w', 'optimizer/m/w']]) {
    const clash = createLayout(names.map((name) => ({ name, shape: [1] })));
    expect(caught(() => encodeHeader(clash, slots, {}))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});

const f32 = (begin: number, end: number, shape: unknown = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

test.each<[string, Uint8Array, number | undefined, string]>([
  ['too short', new Uint8Array(7), undefined, '7 bytes are too few for a header'],
  ['a huge length', new Uint8Array(16).fill(255), undefined, 'at most 100000000 are accepted'],
  ['cut off', fileOf({ a: f32(0, 4) }).subarray(0, 20), undefined, 'its header is cut off'],
  ['not JSON', fileOf('{"a":'), undefined, 'its header is not JSON'],
  ['not UTF-8', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0x28), undefined, 'its header is not JSON'],
  ['no object', fileOf([1]), undefined, 'its header is not a JSON object'],
  ['metadata no object', fileOf({ __metadata__: 3 }), undefined, '__metadata__ is not an object'],
  [
    'metadata no string',
    fileOf({ __metadata__: { step: 3 } }),
    undefined,
    '"step" in __metadata__ is not a string',
  ],
  ['tensor no object', fileOf({ a: null }), undefined, 'tensor "a" has the unknown dtype'],
  [
    'unknown dtype',
    fileOf({ a: { ...f32(0, 4), dtype: 'F4' } }),
    undefined,
    'tensor "a" has the unknown dtype "F4"',
  ],
  [
    'inherited dtype',
    fileOf({ a: { ...f32(0, 4), dtype: 'toString' } }),
    undefined,
    'unknown dtype "toString"',
  ],
  ['negative shape', fileOf({ a: f32(0, 4, [-1]) }), undefined, 'tensor "a" has the shape [-1]'],
  [
    'no shape',
    fileOf({ a: { dtype: 'F32', data_offsets: [0, 4] } }),
    undefined,
    'tensor "a" has the shape undefined',
  ],
  ['offsets backwards', fileOf({ a: f32(4, 0, [1]) }), undefined, 'tensor "a" has the data_offsets [4,0]'],
  [
    'wrong size',
    fileOf({ a: f32(0, 8, [3]) }),
    undefined,
    'tensor "a" has 8 bytes; its shape and dtype need 12',
  ],
  [
    'a hole',
    fileOf({ a: f32(0, 4), b: f32(8, 12) }),
    undefined,
    'tensor "b" begins at byte 8 of the data instead of 4',
  ],
  [
    'an overlap',
    fileOf({ a: f32(0, 8), b: f32(4, 12) }),
    undefined,
    'tensor "b" begins at byte 4 of the data instead of 8',
  ],
  ['data missing', fileOf({ a: f32(0, 8) }, 4), 61, 'it has 61 bytes, but its header describes'],
])('%s', (_title, file, fileBytes, message) => {
  const error = caught(() => decodeHeader(file, fileBytes));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(error.message).toContain('not a valid safetensors file: ');
  expect(error.message).toContain(message);
});

test('every truncation of a valid header is refused', () => {
  const bytes = encodeHeader(layout, [], {});
  for (let length = 0; length < bytes.length; length += 7) {
    expect(caught(() => decodeHeader(bytes.subarray(0, length)))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});
