import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type CsvOptions, csv } from '@tributary/worker/data/csv.ts';
import { expect, test } from 'vitest';
import { failure, readAll, testFile } from './readAll.ts';

const houses = `area,rooms,district,note,price
120,4,north,"quiet, sunny",310.5
80,,south,"says ""cosy""
on two lines",190
95.5,3,north,,240
`;
const fields = {
  x: ['area', 'price'],
  district: { columns: 'district', categories: ['north', 'south'] },
  rooms: { columns: 'rooms', fill: 2 },
} as const;

test('columns become fields; quotes may hold delimiters, quotes and newlines', async () => {
  for (const text of [
    houses,
    houses.replaceAll('\n', '\r\n'),
    `\ufeff${houses}`,
    houses.trimEnd(),
    houses.replaceAll('\n9', '\n\n\n9'),
  ]) {
    const source = csv(await testFile('houses.csv', text), { fields });
    const dataset = await source.open();
    expect(dataset.size).toBe(3);
    expect(dataset.fields).toEqual({
      x: { shape: [2], dtype: 'float32' },
      district: { shape: [], dtype: 'int32' },
      rooms: { shape: [], dtype: 'float32' },
    });
    expect(await dataset.read(Uint32Array.of(2, 0, 1, 2))).toEqual({
      x: { shape: [4, 2], data: Float32Array.of(95.5, 240, 120, 310.5, 80, 190, 95.5, 240) },
      district: { shape: [4], data: Int32Array.of(0, 0, 1, 0) },
      rooms: { shape: [4], data: Float32Array.of(3, 4, 2, 3) },
    });
    await dataset.close();
  }
});

test('gzip, file URLs, and paths relative to a folder', async () => {
  const file = await testFile('houses.csv.gz', gzipSync(houses));
  const expected = { shape: [3], data: Float32Array.of(310.5, 190, 240) };
  expect((await readAll(csv(pathToFileURL(file), { fields: { y: 'price' } }))).y).toEqual(expected);
  const dataset = await csv('houses.csv.gz', { fields: { y: 'price' } }).open(dirname(file));
  expect((await dataset.read(Uint32Array.of(0, 1, 2))).y).toEqual(expected);
  await dataset.close();
});

test('another delimiter, no header, words for missing values, whole numbers', async () => {
  const file = await testFile('plain.tsv', '1\tNA\n2\t7\n');
  const source = csv(file, {
    delimiter: '\t',
    header: ['a', 'b'],
    missing: ['NA'],
    fields: { a: { columns: ['a'], dtype: 'int32' }, b: { columns: 'b', fill: -1 } },
  });
  expect(await readAll(source)).toEqual({
    a: { shape: [2, 1], data: Int32Array.of(1, 2) },
    b: { shape: [2], data: Float32Array.of(-1, 7) },
  });
});

const finite = 'but must be a finite number within +-3.4e38';
const reads: [string, string, CsvOptions<string>['fields'], string][] = [
  ['a word', 'a,b\n1,2\n3,x4\n', { x: 'b' }, `:3:3: column "b" is 'x4', ${finite}`],
  ['a missing value', 'a,b\n1,2\n3,\n', { x: 'b' }, `:3:3: column "b" is missing, ${finite}`],
  ['a number too large', 'a,b\n1,2e40\n', { x: 'b' }, `:2:3: column "b" is '2e40', ${finite}`],
  ['a hexadecimal number', 'a,b\n1,0x10\n', { x: 'b' }, `:2:3: column "b" is '0x10', ${finite}`],
  [
    'a fraction',
    'a\n1.5\n',
    { x: { columns: 'a', dtype: 'int32' } },
    `:2:1: column "a" is '1.5', but must be a whole number`,
  ],
  [
    'an unknown category',
    'a\nred\n',
    { x: { columns: 'a', categories: ['blue', 'green'] } },
    `:2:1: column "a" is 'red', but must be one of blue, green`,
  ],
  ['a place after quoted newlines', 'a,b\n"x\ny,""z\n",q\n', { x: 'b' }, `:4:3: column "b" is 'q'`],
  ['too few values', 'a,b\n1,2\n3\n', { x: 'b' }, ':3:1: the row has 1 values, but must have 2'],
  ['too many values', 'a,b\n1,2,3\n', { x: 'b' }, ':2:3: the row has 3 values, but must have 2'],
  [
    'a quote within a value',
    'a,b\n1,2\n3,5" pipe\n4,5\n',
    { x: 'a' },
    ':3:3: Invalid Opening Quote: quote a value as a whole',
  ],
  [
    'text after a closing quote',
    'a,b\n1,"2"x\n',
    { x: 'a' },
    ':2:3: Invalid Closing Quote: quote a value as a whole',
  ],
  [
    'a quote that is never closed',
    'a,b\n1,2\n3,"4\n5,6\n',
    { x: 'a' },
    ':3: the row that begins here has a quote that is never closed',
  ],
];

test.each(reads)('%s: the message begins with the place', async (_, text, wanted, message) => {
  const file = await testFile('bad.csv', text);
  const error = await failure(csv(file, { fields: wanted }));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(error.message).toContain(file + message);
});

test('a bad row is found only where it is read, so a long file is not parsed to be opened', async () => {
  const source = csv(await testFile('late.csv', 'a\n1\nx\n'), { fields: { x: 'a' } });
  expect((await readAll(source, [0])).x.data).toEqual(Float32Array.of(1));
  await expect(readAll(source, [1])).rejects.toThrow('late.csv:3:1');
});

test('what is wrong with the file or the options', async () => {
  const file = await testFile('houses.csv', houses);
  expect(await failure(csv(`${file}x`, { fields }))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await failure(csv(dirname(file), { fields }))).toMatchObject({
    message: `${dirname(file)} is not a file`,
  });
  expect(await failure(csv(file, { fields: { y: 'prise' } }))).toMatchObject({
    message: `${file} has no column "prise", which field y names`,
    hint: 'Did you mean "price"?',
  });
  expect(await failure(csv(file, { fields: { y: 'colour' } }))).toMatchObject({
    hint: 'Its columns are area, rooms, district, note, price.',
  });
  expect((await failure(csv(file, { fields: { y: { columns: 'rooms', fill: 'none' } } }))).message).toBe(
    `${file}: the fill of field y is 'none', but must be a finite number within +-3.4e38`,
  );
  expect(
    (await failure(csv(await testFile('twice.csv', 'a,a\n1,2\n'), { fields: { y: 'a' } }))).message,
  ).toContain('has two columns "a"');
  expect(
    (await failure(csv(await testFile('empty.csv', 'a,b\n'), { fields: { y: 'a' } }))).message,
  ).toContain('has no rows of data');
  expect(() => csv(file, { fields, delimiter: '::' })).toThrow('the delimiter is "::"');
});
