import { type InMemoryField, inMemory } from '@tributary/worker/data/inMemory.ts';
import { expect, test } from 'vitest';
import { readAll } from './readAll.ts';

test('plain numbers are float32, typed arrays of whole numbers int32, unless told otherwise', async () => {
  const source = inMemory({
    x: [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ],
    y: Uint8Array.of(3, 250),
    z: { data: [1, 0], dtype: 'int32' },
    flat: { data: Float64Array.of(1, 2, 3, 4, 5, 0.1), shape: [2, 3] },
    rows: [Float32Array.of(1, 2), Float32Array.of(3, 4)],
  });
  expect((await source.open()).fields).toEqual({
    x: { shape: [2, 2], dtype: 'float32' },
    y: { shape: [], dtype: 'int32' },
    z: { shape: [], dtype: 'int32' },
    flat: { shape: [3], dtype: 'float32' },
    rows: { shape: [2], dtype: 'float32' },
  });
  expect(await readAll(source, [1, 0, 1])).toEqual({
    x: { shape: [3, 2, 2], data: Float32Array.of(5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8) },
    y: { shape: [3], data: Int32Array.of(250, 3, 250) },
    z: { shape: [3], data: Int32Array.of(0, 1, 0) },
    flat: { shape: [3, 3], data: Float32Array.of(4, 5, 0.1, 1, 2, 3, 4, 5, 0.1) },
    rows: { shape: [3, 2], data: Float32Array.of(3, 4, 1, 2, 3, 4) },
  });
});

test.each([
  [{ x: [[1, 2], [3]] }, 'field x[1] is an array of 1, but must be an array of 2'],
  [{ x: [[1, 2], 3] }, 'field x[1] is 3, but must be an array of 2'],
  [{ x: [1, [2]] }, 'field x[1] is [ 2 ], but must be a finite number within +-3.4e38'],
  [{ x: [1, Number.NaN] }, 'field x[1] is NaN, but must be a finite number within +-3.4e38'],
  [{ x: [1e39] }, 'field x[0] is 1e+39, but must be a finite number within +-3.4e38'],
  [
    { x: { data: [0.5], dtype: 'int32' as const } },
    'field x[0] is 0.5, but must be a whole number from -2147483648 to 2147483647',
  ],
  [
    { x: Uint32Array.of(2 ** 31) },
    'field x[0] is 2147483648, but must be a whole number from -2147483648 to 2147483647',
  ],
  [{ x: ['a'] as never }, `field x[0] is 'a', but must be a finite number within +-3.4e38`],
  [{ x: [1, 2, 3], y: [1, 2] }, 'field x has 3 examples, field y has 2'],
  [{ x: { data: [1, 2, 3], shape: [2, 2] } }, 'field x has 3 numbers, which do not fill its shape [2, 2]'],
  [{}, 'inMemory() was given no fields'],
])('%j is refused', (fields, message) => {
  expect(() => inMemory(fields as Record<string, InMemoryField>)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message }),
  );
});
