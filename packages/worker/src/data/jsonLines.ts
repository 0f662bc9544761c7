import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { assertExamples, elementsOf, emptyBatchArray } from './batchArrays.ts';
import type { FilePath } from './DataFile.ts';
import type { Batch, BatchArray, DataSource, Dataset, FieldSpec } from './Dataset.ts';
import { misfit, nestedShape, writeNested } from './nestedArrays.ts';
import { openRowFile, type Row, type RowFile } from './RowFile.ts';

/** What a field of every line is. */
export interface JsonField {
  /** Default: that of the value in the first line. */
  readonly shape?: readonly number[];
  /** Default: int32 with `categories`, float32 otherwise. */
  readonly dtype?: FieldSpec['dtype'];
  /** The value is one of these words, and becomes its place in this list, a scalar: 0, 1, 2... */
  readonly categories?: readonly string[];
  /** Stands for every number of a value that is missing or null; a word, with `categories`. Default: such a value is an error. */
  readonly fill?: number | string;
}

/**
 * A file of JSON lines (one object in a line; UTF-8, gzip too), whose fields are numbers, nested arrays of numbers, or words of a list. It is indexed once
 * and then read line by line as training needs them, so that it may be larger than memory.
 *
 * ```ts
 * // {"x": [0.1, 0.2], "y": "cat"}
 * jsonLines('animals.jsonl', { fields: { x: {}, y: { categories: ['cat', 'dog'] } } })
 * ```
 *
 * Opening throws NOT_FOUND, or INVALID_ARGUMENT for an empty file. Reading throws INVALID_ARGUMENT for a line that is not a JSON object, and a value
 * that is missing or not of its type; the message begins with file:line.
 */
export function jsonLines<Name extends string>(
  file: FilePath,
  { fields }: { readonly fields: Readonly<Record<Name, JsonField>> },
): DataSource<Name> {
  return {
    description: `JSON lines ${file}`,
    async open(folder) {
      const rows = await openRowFile(file, { folder });
      try {
        if (rows.count === 0) throw new TributaryError('INVALID_ARGUMENT', `${rows.path} has no lines`);
        const [first] = await rows.read(Uint32Array.of(0));
        const columns = await located(rows, first, () => {
          const object = parseObject(first);
          return Object.entries<JsonField>(fields).map(([name, field]) => resolveField(name, field, object));
        });
        return {
          size: rows.count,
          fields: Object.fromEntries(
            columns.map(({ name, spec }) => [name, spec]),
          ) as Dataset<Name>['fields'],
          async read(examples) {
            assertExamples(examples, rows.count);
            const batch = Object.fromEntries(
              columns.map(({ name, spec }) => [name, emptyBatchArray(spec, examples.length)]),
            ) as Batch<Name>;
            const found = await rows.read(examples);
            for (const [index, row] of found.entries()) {
              await located(rows, row, () => {
                const object = parseObject(row);
                for (const column of columns) writeField(column, object, batch[column.name as Name], index);
              });
            }
            return batch;
          },
          close: () => rows.close(),
        };
      } catch (error) {
        await rows.close();
        throw error;
      }
    },
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

interface Column {
  readonly name: string;
  readonly spec: FieldSpec;
  /** The number of each category. */
  readonly places: ReadonlyMap<unknown, number> | undefined;
  readonly fill: number | string | undefined;
}

function resolveField(
  name: string,
  { shape, dtype, categories, fill }: JsonField,
  first: JsonObject,
): Column {
  const places = categories && new Map(categories.map((category, place) => [category, place]));
  return {
    name,
    spec: {
      shape: shape ?? (places === undefined ? nestedShape(first[name]) : []),
      dtype: dtype ?? (places === undefined ? 'float32' : 'int32'),
    },
    places,
    fill,
  };
}

function writeField(
  { name, spec, places, fill }: Column,
  object: JsonObject,
  array: BatchArray,
  row: number,
): void {
  const length = elementsOf(spec.shape);
  const begin = row * length;
  const given = Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
  const filled = given === undefined && fill !== undefined;
  let value: unknown = filled ? fill : given;
  if (places !== undefined) {
    if (!places.has(value)) throw misfit(`field ${name}`, value, `one of ${[...places.keys()].join(', ')}`);
    value = places.get(value);
  }
  if (filled)
    writeNested(
      array.data,
      begin,
      Array(length).fill(value),
      [length],
      spec.dtype,
      `the fill of field ${name}`,
    );
  else writeNested(array.data, begin, value, spec.shape, spec.dtype, `field ${name}`);
}

function parseObject({ text }: Row): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TributaryError('INVALID_ARGUMENT', `not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new TributaryError('INVALID_ARGUMENT', 'the line is not a JSON object');
}

/** What `work` on a row returns; its error with file:line before it. */
async function located<T>(rows: RowFile, row: Row, work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TributaryError)) throw error;
    throw new TributaryError(error.code, `${rows.path}:${await rows.lineAt(row.begin)}: ${error.message}`, {
      cause: error,
    });
  }
}
