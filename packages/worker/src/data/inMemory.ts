import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { assertExamples, elementsOf, emptyBatchArray } from './batchArrays.ts';
import type { Batch, BatchArray, DataSource, Dataset, FieldSpec } from './Dataset.ts';
import { type Nested, type NumericArray, nestedShape, writeNested } from './nestedArrays.ts';

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
      readonly dtype?: FieldSpec['dtype'];
    };

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
  const columns = Object.entries<InMemoryField>(fields).map(([name, field]) => toColumn(name, field));
  const [first] = columns;
  if (first === undefined) throw new TributaryError('INVALID_ARGUMENT', 'inMemory() was given no fields');
  for (const { name, rows } of columns) {
    if (rows === first.rows) continue;
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `field ${first.name} has ${first.rows} examples, field ${name} has ${rows}`,
      { hint: 'Every field must have one entry for every example.' },
    );
  }
  const dataset: Dataset<Name> = {
    size: first.rows,
    fields: Object.fromEntries(columns.map(({ name, spec }) => [name, spec])) as Dataset<Name>['fields'],
    async read(examples, fields) {
      assertExamples(examples, first.rows);
      const wanted = columns.filter(({ name }) => fields?.includes(name) ?? true);
      return Object.fromEntries(
        wanted.map((column) => [column.name, gather(column, examples)]),
      ) as Batch<Name>;
    },
    async close() {},
  };
  return { description: `${first.rows} examples in memory`, open: async () => dataset };
}

interface Column {
  readonly name: string;
  readonly rows: number;
  readonly spec: FieldSpec;
  readonly data: BatchArray['data'];
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
  const isWhole = ArrayBuffer.isView(data) && !(data instanceof Float32Array || data instanceof Float64Array);
  const spec: FieldSpec = { shape, dtype: type ?? (isWhole ? 'int32' : 'float32') };
  const column = { name, rows, spec, data: emptyBatchArray(spec, rows).data };
  writeNested(column.data, 0, data, natural, spec.dtype, `field ${name}`);
  return column;
}

function gather({ spec, data }: Column, examples: Uint32Array): BatchArray {
  const batch = emptyBatchArray(spec, examples.length);
  const length = elementsOf(spec.shape);
  examples.forEach((example, row) => {
    batch.data.set(data.subarray(example * length, (example + 1) * length), row * length);
  });
  return batch;
}
