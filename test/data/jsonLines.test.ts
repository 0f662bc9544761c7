import { gzipSync } from 'node:zlib';
import { type JsonField, jsonLines } from '@tributary/worker/data/jsonLines.ts';
import { expect, test } from 'vitest';
import { failure, readAll, testFile } from './readAll.ts';

const animals = `{"x": [[1, 2], [3, 4]], "y": "cat", "age": 3, "note": "a \\"b\\" c"}
{"x": [[5, 6], [7, 8]], "y": "dog", "age": null}

{"x": [[0, 0], [0, 1e-3]], "y": "cat"}`;

test('numbers, nested arrays and words of a list, plain and in gzip', async () => {
  for (const content of [animals, gzipSync(animals)]) {
    const source = jsonLines(await testFile('animals.jsonl', content), {
      fields: { x: {}, y: { categories: ['cat', 'dog'] }, age: { dtype: 'int32', fill: -1 } },
    });
    const dataset = await source.open();
    expect(dataset.fields.x).toEqual({ shape: [2, 2], dtype: 'float32' });
    await dataset.close();
    expect(await readAll(source, [2, 1, 0])).toEqual({
      x: { shape: [3, 2, 2], data: Float32Array.of(0, 0, 0, 1e-3, 5, 6, 7, 8, 1, 2, 3, 4) },
      y: { shape: [3], data: Int32Array.of(0, 1, 0) },
      age: { shape: [3], data: Int32Array.of(-1, -1, 3) },
    });
  }
});

const lines: [string, string, JsonField, string][] = [
  ['no JSON', '{"x": 1}\n{"x": 1\n', {}, ':2: not JSON: '],
  ['no object', '{"x": 1}\n\n[1]\n', {}, ':3: the line is not a JSON object'],
  ['a missing field', '{"x": 1}\n{"y": 1}\n', {}, ':2: field x is missing, but must be a finite number'],
  ['a null', '{"x": 1}\n{"x": null}\n', {}, ':2: field x is missing, but must be a finite number'],
  ['a word', '{"x": 1}\n{"x": "1"}\n', {}, `:2: field x is '1', but must be a finite number`],
  [
    'another shape',
    '{"x": [1, 2]}\n{"x": [1]}\n',
    {},
    ':2: field x is an array of 1, but must be an array of 2',
  ],
  ['a word in an array', '{"x": [[1, "b"]]}\n', {}, `:1: field x[0][1] is 'b', but must be a finite number`],
  ['a fraction', '{"x": 1.5}\n', { dtype: 'int32' }, ':1: field x is 1.5, but must be a whole number'],
  [
    'an unknown word',
    '{"x": "cow"}\n',
    { categories: ['cat', 'dog'] },
    `:1: field x is 'cow', but must be one of cat, dog`,
  ],
  [
    'not the shape asked for',
    '{"x": [1]}\n',
    { shape: [] },
    ':1: field x is [ 1 ], but must be a finite number',
  ],
];

test.each(lines)('%s: the message begins with the place', async (_, text, field, message) => {
  const file = await testFile('bad.jsonl', text);
  const error = await failure(jsonLines(file, { fields: { x: field } }));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(error.message).toContain(file + message);
});

test('an empty file', async () => {
  const file = await testFile('empty.jsonl', '\n\n');
  expect((await failure(jsonLines(file, { fields: { x: {} } }))).message).toBe(`${file} has no lines`);
});
