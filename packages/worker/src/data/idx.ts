import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { assertExamples, elementsOf, emptyBatchArray, fitsType, typeRange } from './batchArrays.ts';
import { type DataFile, type FilePath, openDataFile } from './DataFile.ts';
import type { Batch, BatchArray, DataSource, Dataset, FieldSpec } from './Dataset.ts';
import { readRuns } from './readRuns.ts';

/** One field of an IDX data set: its file, or the file and a number by which every value is multiplied. */
export type IdxField = FilePath | { readonly file: FilePath; readonly scale?: number };

/**
 * The format of MNIST and Fashion-MNIST: one file for each field, an array whose first dimension is the examples. Files may be in gzip,
 * and are then inflated into a temporary file. Files of whole numbers become int32, of floating-point numbers float32; a field with `scale` is float32.
 *
 * ```ts
 * idx({
 *   x: { file: 'train-images-idx3-ubyte.gz', scale: 1 / 255 }, // float32[28, 28]
 *   y: 'train-labels-idx1-ubyte.gz', // int32
 * })
 * ```
 *
 * Opening throws NOT_FOUND, or INVALID_ARGUMENT or DATA_LOSS where a file is not IDX, is truncated, has bytes too many, or has another number of
 * examples than the others. Format: http://yann.lecun.com/exdb/mnist/.
 */
export function idx<Name extends string>(fields: Readonly<Record<Name, IdxField>>): DataSource<Name> {
  const names = Object.keys(fields) as Name[];
  if (names.length === 0) throw new TributaryError('INVALID_ARGUMENT', 'idx() was given no fields');
  return {
    description: `idx ${names.map((name) => fileOf(fields[name])).join(', ')}`,
    async open(folder) {
      const columns: IdxColumn[] = [];
      const close = async () => void (await Promise.all(columns.map(({ file }) => file.close())));
      try {
        for (const name of names) columns.push(await openColumn(fields[name], folder));
        const [first] = columns;
        for (const { file, rows } of columns) {
          if (rows !== first.rows) {
            throw new TributaryError(
              'INVALID_ARGUMENT',
              `${first.file.path} has ${first.rows} examples, ${file.path} has ${rows}`,
              { hint: 'All files of a data set must have the same examples; is one of another part of it?' },
            );
          }
        }
      } catch (error) {
        await close();
        throw error;
      }
      const size = columns[0].rows;
      return {
        size,
        fields: Object.fromEntries(
          names.map((name, index) => [name, columns[index].spec]),
        ) as Dataset<Name>['fields'],
        async read(examples, fields) {
          assertExamples(examples, size);
          const wanted = [...names.entries()].filter(([, name]) => fields?.includes(name) ?? true);
          const arrays = wanted.map(async ([index, name]) => [
            name,
            await readColumn(columns[index], examples),
          ]);
          return Object.fromEntries(await Promise.all(arrays)) as Batch<Name>;
        },
        close,
      };
    },
  };
}

interface IdxColumn {
  readonly file: DataFile;
  readonly rows: number;
  readonly spec: FieldSpec;
  readonly type: IdxType;
  readonly scale: number;
  /** Where the first example begins. */
  readonly dataOffset: number;
}

interface IdxType {
  readonly bytes: number;
  readonly dtype: FieldSpec['dtype'];
  get(view: DataView, position: number): number;
}

/** By the third byte of a file. All numbers have their most significant byte first. */
const types: Readonly<Record<number, IdxType>> = {
  8: { bytes: 1, dtype: 'int32', get: (view, position) => view.getUint8(position) },
  9: { bytes: 1, dtype: 'int32', get: (view, position) => view.getInt8(position) },
  11: { bytes: 2, dtype: 'int32', get: (view, position) => view.getInt16(position) },
  12: { bytes: 4, dtype: 'int32', get: (view, position) => view.getInt32(position) },
  13: { bytes: 4, dtype: 'float32', get: (view, position) => view.getFloat32(position) },
  14: { bytes: 8, dtype: 'float32', get: (view, position) => view.getFloat64(position) },
};

function fileOf(field: IdxField): FilePath {
  return typeof field === 'string' || field instanceof URL ? field : field.file;
}

async function openColumn(field: IdxField, folder: string | undefined): Promise<IdxColumn> {
  const scale = typeof field === 'string' || field instanceof URL ? undefined : field.scale;
  const file = await openDataFile(fileOf(field), folder);
  try {
    const { type, dimensions, dataOffset } = await readHeader(file);
    const [rows, ...shape] = dimensions;
    const dtype = scale === undefined ? type.dtype : 'float32';
    return { file, rows, spec: { shape, dtype }, type, scale: scale ?? 1, dataOffset };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeader(
  file: DataFile,
): Promise<{ type: IdxType; dimensions: number[]; dataOffset: number }> {
  const start = new Uint8Array(Math.min(4, file.size));
  await file.read(start, 0);
  const [zero0, zero1, typeCode, dimensionCount] = start;
  const type = types[typeCode];
  if (zero0 !== 0 || zero1 !== 0 || type === undefined || !(dimensionCount > 0)) {
    const found = Array.from(start, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `${file.path} is not an IDX file: it begins with the bytes ${found}`,
      {
        hint: 'An IDX file begins with 00 00, a type (08, 09, 0b, 0c, 0d or 0e) and a number of dimensions above 0.',
      },
    );
  }
  const dataOffset = 4 + 4 * dimensionCount;
  if (file.size < dataOffset) {
    throw new TributaryError(
      'DATA_LOSS',
      `${file.path} is truncated: it ends at byte ${file.size}, within its header of ${dataOffset} bytes`,
    );
  }
  const header = new DataView(new ArrayBuffer(4 * dimensionCount));
  await file.read(new Uint8Array(header.buffer), 4);
  const dimensions = Array.from({ length: dimensionCount }, (_, index) => header.getUint32(4 * index));
  const expected = dataOffset + elementsOf(dimensions) * type.bytes;
  if (file.size !== expected) {
    const what = file.size < expected ? 'is truncated' : 'has bytes too many';
    throw new TributaryError(
      'DATA_LOSS',
      `${file.path} ${what}: it has ${file.size} bytes, and ${expected} by its header, dimensions [${dimensions.join(', ')}]`,
      { hint: 'Get the file once more.' },
    );
  }
  return { type, dimensions, dataOffset };
}

async function readColumn(column: IdxColumn, examples: Uint32Array): Promise<BatchArray> {
  const { file, spec, type, dataOffset } = column;
  const batch = emptyBatchArray(spec, examples.length);
  const length = elementsOf(spec.shape);
  const exampleBytes = length * type.bytes;
  const position = (example: number) => dataOffset + example * exampleBytes;
  await readRuns(examples, position, async ({ first, last, places }) => {
    const bytes = new Uint8Array(position(last + 1) - position(first));
    await file.read(bytes, position(first));
    for (const place of places) {
      const view = new DataView(bytes.buffer, (examples[place] - first) * exampleBytes, exampleBytes);
      decode(column, examples[place], view, batch.data.subarray(place * length, (place + 1) * length));
    }
  });
  return batch;
}

function decode(
  { file, spec, type, scale }: IdxColumn,
  example: number,
  view: DataView,
  out: BatchArray['data'],
): void {
  for (let index = 0; index < out.length; index++) {
    const value = type.get(view, index * type.bytes) * scale;
    if (!fitsType(value, spec.dtype)) {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `${file.path}: value ${index} of example ${example} is ${value}, but must be ${typeRange[spec.dtype]}`,
      );
    }
    out[index] = value;
  }
}
