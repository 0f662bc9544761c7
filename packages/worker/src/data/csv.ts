import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { CsvError, parse } from 'csv-parse/sync';
import { assertExamples, emptyBatchArray } from './batchArrays.ts';
import { type CsvField, type ResolvedField, resolveFields } from './csvFields.ts';
import type { FilePath } from './DataFile.ts';
import type { Batch, BatchArray, DataSource, Dataset } from './Dataset.ts';
import { openRowFile, type Row, type RowFile } from './RowFile.ts';

export interface CsvOptions<Name extends string> {
  readonly fields: Readonly<Record<Name, CsvField>>;
  /** One character. Default: a comma. */
  readonly delimiter?: string;
  /** Names of all columns, for a file that does not begin with a row of names. */
  readonly header?: readonly string[];
  /** What a missing value looks like, beside an empty one: `['NA', '?']`. */
  readonly missing?: readonly string[];
}

/**
 * A CSV file (RFC 4180, UTF-8, gzip too) with a row of column names. It is indexed once and then read row by row as training needs them, so that it may be
 * larger than memory.
 *
 * ```ts
 * csv('houses.csv', {
 *   fields: {
 *     x: ['area', 'rooms'], // float32[2]
 *     age: { columns: 'age', fill: 30 }, // float32
 *     y: { columns: 'district', categories: ['north', 'south'] }, // int32, 0 or 1
 *   },
 * })
 * ```
 *
 * Opening throws NOT_FOUND, or INVALID_ARGUMENT for a column that is not there or a quote that is never closed. Reading throws INVALID_ARGUMENT for
 * a value that is missing or not of its type; the message begins with file:line:column.
 */
export function csv<Name extends string>(file: FilePath, options: CsvOptions<Name>): DataSource<Name> {
  const { delimiter = ',', missing = [] } = options;
  if (!/^[\t -~]$/.test(delimiter) || delimiter === '"') {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `csv ${file}: the delimiter is ${JSON.stringify(delimiter)}, but must be one ASCII character other than a quote`,
    );
  }
  return {
    description: `csv ${file}`,
    async open(folder) {
      const rows = await openRowFile(file, { folder, delimiter });
      try {
        const firstRow = options.header === undefined ? 1 : 0;
        const size = rows.count - firstRow;
        if (size <= 0) throw new TributaryError('INVALID_ARGUMENT', `${rows.path} has no rows of data`);
        const header = options.header ?? (await readHeader(rows, delimiter));
        const fields = resolveFields(rows.path, header, options.fields, new Set(['', ...missing]));
        return {
          size,
          fields: Object.fromEntries(fields.map(({ name, spec }) => [name, spec])) as Dataset<Name>['fields'],
          async read(examples) {
            assertExamples(examples, size);
            const wanted = examples.map((example) => example + firstRow);
            const records = await readRecords(rows, delimiter, wanted);
            const { batch, problem } = toBatch(records, header, fields);
            if (problem !== undefined) throw await misplaced(rows, delimiter, problem);
            return batch as Batch<Name>;
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

interface CsvRecord {
  readonly row: Row;
  readonly cells: readonly string[];
}

/** What is wrong in which cell of which row. */
interface Problem {
  readonly row: Row;
  readonly column: number;
  readonly what: string;
}

async function readHeader(rows: RowFile, delimiter: string): Promise<string[]> {
  const [{ cells }] = await readRecords(rows, delimiter, Uint32Array.of(0));
  return cells.map((name) => name.trim());
}

async function readRecords(rows: RowFile, delimiter: string, wanted: Uint32Array): Promise<CsvRecord[]> {
  const found = await rows.read(wanted);
  // The rows are cut already; what quotes mean within them is the library's to say.
  const parseText = (text: string): string[][] =>
    parse(text, { delimiter, record_delimiter: '\n', relax_column_count: true });
  try {
    const cells = parseText(found.map(({ text }) => text).join('\n'));
    return found.map((row, index) => ({ row, cells: cells[index] }));
  } catch (cause) {
    for (const row of found) {
      try {
        parseText(row.text);
      } catch (error) {
        if (!(error instanceof CsvError)) throw error;
        const what = `${error.message.split(':')[0]}: quote a value as a whole, and write a quote within it twice`;
        throw await misplaced(rows, delimiter, { row, column: Number(error.column), what });
      }
    }
    throw cause;
  }
}

function toBatch(
  records: readonly CsvRecord[],
  header: readonly string[],
  fields: readonly ResolvedField[],
): { batch: Batch; problem?: undefined } | { batch?: undefined; problem: Problem } {
  for (const { row, cells } of records) {
    if (cells.length === header.length) continue;
    const what = `the row has ${cells.length} values, but must have ${header.length}, one for each column`;
    return { problem: { row, column: Math.min(cells.length, header.length) - 1, what } };
  }
  const batch: Record<string, BatchArray> = {};
  for (const { name, spec, columns, numberOf } of fields) {
    const array = emptyBatchArray(spec, records.length);
    let filled = 0;
    for (const { row, cells } of records) {
      for (const column of columns) {
        const value = numberOf(cells[column]);
        if (typeof value === 'string')
          return { problem: { row, column, what: `column "${header[column]}" ${value}` } };
        array.data[filled++] = value;
      }
    }
    batch[name] = array;
  }
  return { batch };
}

/** An error whose message begins with file:line:column of a cell, as editors and compilers write it. */
async function misplaced(
  rows: RowFile,
  delimiter: string,
  { row, column, what }: Problem,
): Promise<TributaryError> {
  const before = textBefore(row.text, column, delimiter);
  const newlines = before.split('\n');
  const line = (await rows.lineAt(row.begin)) + newlines.length - 1;
  return new TributaryError(
    'INVALID_ARGUMENT',
    `${rows.path}:${line}:${newlines.at(-1)!.length + 1}: ${what}`,
  );
}

/** The part of a well-formed row before its column of this number. */
function textBefore(text: string, column: number, delimiter: string): string {
  let quoted = false;
  let delimiters = 0;
  for (let index = 0; index < text.length && column > 0; index++) {
    if (text[index] === '"') quoted = !quoted;
    else if (text[index] === delimiter && !quoted && ++delimiters === column) return text.slice(0, index + 1);
  }
  return '';
}
