import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { assertExamples, elementsOf, emptyBatchArray, fitsType, typeRange } from './batchArrays.ts';
import type { Batch, BatchArray, DataSource, Dataset, FieldSpec } from './Dataset.ts';

type NumericArray = Exclude<NodeJS.TypedArray, BigInt64Array | BigUint64Array | Float16Array>;
type Nested = readonly (number | NumericArray | Nested)[];

/**
 * One field of all examples: nested arrays of numbers, first dimension the examples; or a typed array, one number an example; or either of
 * these with a shape, first dimension the examples, or a type.
 */
export type InMemoryField =
  | Nested
  | NumericArray
  | {
      readonly data: Nested | NumericArray;
      /** Default: that of the arrays as given. */
      readonly shape?: readonly number[];
      /** Default: int32 for a typed array of whole numbers, float32 otherwise. */
      readonly dtype?: 'float32' | 'int32';
    };

interface Column extends BatchArray, FieldSpec {
  readonly rows: number;
}

/**
 * Examples held in memory. Plain numbers become float32, typed arrays of whole numbers int32, unless `dtype` says otherwise.
 *
 * ```ts
 * inMemory({ x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0, 1, 1, 0] })
 * inMemory({ x: { data: pixels, shape: [60000, 28, 28] }, y: { data: labels, dtype: 'int32' } })
 * ```
 *
 * Throws INVALID_ARGUMENT where arrays are ragged, are not numbers, do not fill their shape, or differ in their number of examples.
 */
export function inMemory<Name extends string>(
  fields: Readonly<Record<Name, InMemoryField>>,
): DataSource<Name> {
  const names = Object.keys(fields) as Name[];
  if (names.length === 0) throw new TributaryError('INVALID_ARGUMENT', 'inMemory() was given no fields');
  const columns = names.map((name) => [name, toColumn(name, fields[name])] as const);
  const size = columns[0][1].rows;
  for (const [name, { rows }] of columns) {
    if (rows !== size) {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `field ${names[0]} has ${size} examples, field ${name} has ${rows}`,
        {
          hint: 'Every field must have one entry for every example.',
        },
      );
    }
  }
  const dataset: Dataset<Name> = {
    size,
    fields: Object.fromEntries(
      columns.map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    ) as Dataset<Name>['fields'],
    async read(examples) {
      assertExamples(examples, size);
      return Object.fromEntries(
        columns.map(([name, column]) => [name, take(column, examples)]),
      ) as unknown as Batch<Name>;
    },
    async close() {},
  };
  return { description: `${size} examples in memory`, open: async () => dataset };
}

function take({ shape, dtype, data }: Column, examples: Uint32Array): BatchArray {
  const batch = emptyBatchArray({ shape, dtype }, examples.length);
  const length = elementsOf(shape);
  examples.forEach((example, row) => {
    batch.data.set(data.subarray(example * length, (example + 1) * length), row * length);
  });
  return batch;
}

function toColumn(name: string, field: InMemoryField): Column {
  const { data, shape: asked, dtype: type } = 'data' in field ? field : { data: field };
  const natural = nestedShape(data);
  const [rows, ...shape] = asked ?? natural;
  const count = elementsOf(natural);
  if (elementsOf([rows, ...shape]) !== count) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `field ${name} has ${count} numbers, which do not fill its shape [${[rows, ...shape].join(', ')}]`,
      { hint: 'The first dimension of the shape is the number of examples.' },
    );
  }
  const dtype = type ?? (ArrayBuffer.isView(data) && !isFloatArray(data) ? 'int32' : 'float32');
  const column = { rows, shape, dtype, data: emptyBatchArray({ shape, dtype }, rows).data };
  let filled = 0;
  const fill = (values: unknown, depth: number, place: string): void => {
    if (!ArrayBuffer.isView(values) && !Array.isArray(values)) throw misfit(place, values, 'an array');
    const entries = values as ArrayLike<unknown>;
    if (entries.length !== natural[depth]) {
      throw misfit(place, `${entries.length} long`, `${natural[depth]} long as the first of its kind`);
    }
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index];
      if (depth < natural.length - 1) fill(entry, depth + 1, `${place}[${index}]`);
      else if (typeof entry === 'number' && fitsType(entry, dtype)) column.data[filled++] = entry;
      else throw misfit(`${place}[${index}]`, entry, typeRange[dtype]);
    }
  };
  fill(data, 0, `field ${name}`);
  return column;
}

function misfit(place: string, found: unknown, possible: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', `${place} is ${found}, but must be ${possible}`);
}

function isFloatArray(data: unknown): boolean {
  return data instanceof Float32Array || data instanceof Float64Array;
}

function nestedShape(data: Nested | NumericArray): number[] {
  const shape: number[] = [];
  let level: unknown = data;
  while (Array.isArray(level) || ArrayBuffer.isView(level)) {
    const entries = level as ArrayLike<unknown>;
    shape.push(entries.length);
    level = entries[0];
  }
  return shape;
}
