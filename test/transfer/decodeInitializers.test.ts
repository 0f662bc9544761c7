import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeInitializers } from '@tributary/worker/compute/native/onnx/decodeInitializers.ts';
import { ProtobufWriter } from '@tributary/worker/compute/native/onnx/ProtobufWriter.ts';
import { readParameterFile } from '@tributary/worker/parameters/readParameterFile.ts';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../cluster/tributary.ts';
import { caught } from '../core/caught.ts';

const folder = join(import.meta.dirname, '../fixtures/trained');
const network = JSON.parse(readFileSync(join(folder, 'network.json'), 'utf8'));

/** Each tensor by name, as flat numbers. */
function tensorsOf(file: string): Record<string, number[]> {
  const { layout, flat } = readParameterFile(join(folder, file));
  return Object.fromEntries(
    layout.tensors.map(({ name, offset, length }) => [name, [...flat.subarray(offset, offset + length)]]),
  );
}

const expected = Object.fromEntries(
  Object.entries<number[]>(network.parameters).map(([name, values]) => [
    name,
    values.flat(Number.POSITIVE_INFINITY),
  ]),
);

/* The first was written by PyTorch, the others by the packages onnx and safetensors. */
describe('parameters of a network of PyTorch', () => {
  test.each(['network.onnx', 'types.onnx', 'external.onnx', 'network.safetensors'])('in %s', (file) => {
    expect(tensorsOf(file)).toEqual(expected);
  });

  test('with their shapes, and what is no float by name', () => {
    const { layout, others } = readParameterFile(join(folder, 'types.onnx'));
    expect(layout.tensors.map(({ shape }) => shape)).toEqual([[2, 1, 3, 3], [2], [3, 8], [3]]);
    expect(others).toMatchObject([{ name: 'shape', dtype: 'of ONNX type 7' }]);
    expect(readParameterFile(join(folder, 'network.safetensors')).others).toEqual([
      { name: 'features.1.num_batches_tracked', dtype: 'I64' },
    ]);
  });
});

describe('files that are no ONNX models', () => {
  const refused = (file: Uint8Array, files: Record<string, Uint8Array> = {}) =>
    caught(() => decodeInitializers(file, (location) => files[location])).message;
  const model = (tensor: ProtobufWriter) =>
    new ProtobufWriter().message(7, new ProtobufWriter().message(5, tensor)).finish();
  const vector = () => new ProtobufWriter().integer(1, 3).integer(2, 1).string(8, 'w');
  const entry = (key: string, value: string) => new ProtobufWriter().string(1, key).string(2, value);

  test('are refused, saying why', () => {
    const whole = readFileSync(join(folder, 'network.onnx'));
    // From 1100 bytes on the graph is whole.
    for (let length = 0; length < 1100; length++) {
      expect(refused(whole.subarray(0, length))).toMatch(/^not a valid ONNX file: /);
    }
    expect(refused(Uint8Array.of())).toBe('not a valid ONNX file: it has no graph');
    expect(refused(Uint8Array.of(7))).toMatch(/field 0 has the unknown wire type 7$/);
    expect(refused(model(vector().bytes(9, new Uint8Array(9))))).toMatch(
      /"w" has 9 bytes, its shape \[3\] needs 12$/,
    );
    const external = vector().message(13, entry('location', 'f')).message(13, entry('offset', '4'));
    expect(refused(model(external.message(13, entry('length', '12'))), { f: new Uint8Array(8) })).toMatch(
      /"w" is at bytes 4 to 16 of f, which has 8$/,
    );
  });

  test('without the file of their data neither', () => {
    const file = join(temporaryFolder(), 'external.onnx');
    copyFileSync(join(folder, 'external.onnx'), file);
    expect(caught(() => readParameterFile(file)).message).toMatch(
      /external\.onnx: .*external\.data cannot be read: ENOENT/,
    );
  });

  test('nor is a file outside of the folder read', () => {
    const outside = vector().message(13, entry('location', '../network.json'));
    const file = join(temporaryFolder(), 'model.onnx');
    writeFileSync(file, model(outside));
    expect(caught(() => readParameterFile(file)).message).toMatch(/model\.onnx: .* outside of its folder/);
  });
});
