import { readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { idx } from '@tributary/worker/data/idx.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { failure, readAll, testFile, testFolder } from './readAll.ts';

/** An IDX file of bytes written here by hand: type, dimensions, data. */
function idxFile(type: number, dimensions: readonly number[], data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header[2] = type;
  header[3] = dimensions.length;
  for (const [index, dimension] of dimensions.entries()) header.writeUInt32BE(dimension, 4 + 4 * index);
  return Buffer.concat([header, data]);
}

const images = idxFile(8, [3, 2, 2], Uint8Array.of(0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8));
const labels = idxFile(8, [3], Uint8Array.of(7, 2, 9));

test('images scaled to float32, labels to int32, plain and in gzip', async () => {
  for (const pack of [(bytes: Uint8Array) => bytes, gzipSync]) {
    const x = await testFile('images', pack(images));
    const y = await testFile('labels', pack(labels));
    const batch = await readAll(idx({ x: { file: x, scale: 1 / 255 }, y }), [2, 0, 0]);
    expect(batch.y).toEqual({ shape: [3], data: Int32Array.of(9, 7, 7) });
    expect(batch.x.shape).toEqual([3, 2, 2]);
    expect(batch.x.data).toEqual(
      Float32Array.of(5, 6, 7, 8, 0, 51, 102, 255, 0, 51, 102, 255).map((value) => value / 255),
    );
  }
});

test('every type of the format', async () => {
  const bytes = (write: (view: DataView) => void, length: number) => {
    const view = new DataView(new ArrayBuffer(length));
    write(view);
    return new Uint8Array(view.buffer);
  };
  const cases = [
    [9, bytes((view) => view.setInt8(0, -5), 1), Int32Array.of(-5)],
    [11, bytes((view) => view.setInt16(0, -300), 2), Int32Array.of(-300)],
    [12, bytes((view) => view.setInt32(0, -70_000), 4), Int32Array.of(-70_000)],
    [13, bytes((view) => view.setFloat32(0, 1.5), 4), Float32Array.of(1.5)],
    [14, bytes((view) => view.setFloat64(0, 0.1), 8), Float32Array.of(0.1)],
  ] as const;
  for (const [type, data, expected] of cases) {
    const file = await testFile('values', idxFile(type, [1], data));
    expect((await readAll(idx({ x: file }))).x.data).toEqual(expected);
  }
});

test('a temporary file that was inflated has no name that could be left behind', async () => {
  const file = await testFile('labels', gzipSync(labels));
  const temporary = await testFolder();
  vi.stubEnv('TMPDIR', temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
  const dataset = await idx({ y: file }).open();
  expect(await readdir(temporary)).toEqual([]);
  expect((await dataset.read(Uint32Array.of(1))).y.data).toEqual(Int32Array.of(2));
  await dataset.close();
});

test.each([
  [
    'no IDX file',
    Buffer.from('PNG....'),
    'is not an IDX file: it begins with the bytes 50 4e 47 2e',
    'INVALID_ARGUMENT',
  ],
  [
    'an unknown type',
    idxFile(10, [1], Uint8Array.of(1)),
    'is not an IDX file: it begins with the bytes 00 00 0a 01',
    'INVALID_ARGUMENT',
  ],
  [
    'no dimensions',
    idxFile(8, [], Uint8Array.of(1)),
    'is not an IDX file: it begins with the bytes 00 00 08 00',
    'INVALID_ARGUMENT',
  ],
  ['an empty file', new Uint8Array(0), 'is not an IDX file: it begins with the bytes', 'INVALID_ARGUMENT'],
  [
    'a truncated header',
    images.subarray(0, 9),
    'is truncated: it ends at byte 9, within its header of 16 bytes',
    'DATA_LOSS',
  ],
  [
    'truncated data',
    images.subarray(0, -1),
    'is truncated: it has 27 bytes, and 28 by its header, dimensions [3, 2, 2]',
    'DATA_LOSS',
  ],
  [
    'surplus data',
    Buffer.concat([images, labels]),
    'has bytes too many: it has 39 bytes, and 28 by its header',
    'DATA_LOSS',
  ],
  ['a damaged gzip file', gzipSync(images).subarray(0, 20), 'is not a whole gzip file', 'DATA_LOSS'],
  [
    'no number',
    idxFile(13, [1], Uint8Array.of(0x7f, 0xc0, 0, 0)),
    'value 0 of example 0 is NaN, but must be a finite number',
    'INVALID_ARGUMENT',
  ],
])('%s: the message names the file and what is wrong', async (_, content, message, code) => {
  const file = await testFile('broken', content);
  const error = await failure(idx({ x: file }));
  expect(error).toMatchObject({ code });
  expect(error.message).toContain(`${file}`);
  expect(error.message).toContain(message);
});

test('files with different numbers of examples, and a missing file', async () => {
  const x = await testFile('images', images);
  const y = await testFile('labels', idxFile(8, [2], Uint8Array.of(1, 2)));
  expect((await failure(idx({ x, y }))).message).toBe(`${x} has 3 examples, ${y} has 2`);
  expect(await failure(idx({ x, y: `${y}.gz` }))).toMatchObject({
    code: 'NOT_FOUND',
    message: `there is no data file ${y}.gz`,
  });
});
