import { nearestName } from '@tributary/core/errors/nearestName.ts';
import { showValue } from '@tributary/core/errors/showValue.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { fitsType, typeRange } from './batchArrays.ts';
import type { FieldSpec } from './Dataset.ts';

/**
 * One field of every example: a column (a scalar), several columns (a vector), or these with what their values are.
 */
export type CsvField = string | readonly string[] | CsvColumns;

export interface CsvColumns {
  readonly columns: string | readonly string[];
  /** Default: int32 with `categories`, float32 otherwise. */
  readonly dtype?: FieldSpec['dtype'];
  /** The values are these words, and become their places in this list: 0, 1, 2... */
  readonly categories?: readonly string[];
  /** Stands for a missing value, written as in the file. Default: a missing value is an error. */
  readonly fill?: number | string;
}

/** A field with the places of its columns in a row. */
export interface ResolvedField {
  readonly name: string;
  readonly spec: FieldSpec;
  readonly columns: readonly number[];
  /** The number that a cell stands for, or what is wrong with it. */
  numberOf(cell: string): number | string;
}

/** Finds the columns of every field in the header. Throws INVALID_ARGUMENT, naming file and field. */
export function resolveFields(
  path: string,
  header: readonly string[],
  fields: Readonly<Record<string, CsvField>>,
  missing: ReadonlySet<string>,
): ResolvedField[] {
  return Object.entries(fields).map(([name, given]) => {
    const field: CsvColumns = typeof given === 'object' && 'columns' in given ? given : { columns: given };
    const isVector = typeof field.columns !== 'string';
    const columns = [field.columns].flat().map((column) => findColumn(path, header, name, column));
    const dtype = field.dtype ?? (field.categories === undefined ? 'float32' : 'int32');
    const numberOf = reader(field, dtype, missing);
    const filled = field.fill === undefined ? 0 : numberOf('');
    if (typeof filled === 'string')
      throw new TributaryError('INVALID_ARGUMENT', `${path}: the fill of field ${name} ${filled}`);
    return { name, columns, numberOf, spec: { shape: isVector ? [columns.length] : [], dtype } };
  });
}

function findColumn(path: string, header: readonly string[], field: string, column: string): number {
  const found = header.indexOf(column);
  if (found === -1) {
    const nearest = nearestName(column, header);
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `${path} has no column "${column}", which field ${field} names`,
      {
        hint: nearest === undefined ? `Its columns are ${header.join(', ')}.` : `Did you mean "${nearest}"?`,
      },
    );
  }
  if (header.indexOf(column, found + 1) !== -1) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `${path} has two columns "${column}", which field ${field} names`,
      {
        hint: 'Give every column a name of its own.',
      },
    );
  }
  return found;
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function reader({ categories, fill }: CsvColumns, dtype: FieldSpec['dtype'], missing: ReadonlySet<string>) {
  const places = categories && new Map(categories.map((category, place) => [category, place]));
  const possible = categories === undefined ? typeRange[dtype] : `one of ${categories.join(', ')}`;
  return (cell: string): number | string => {
    let text = cell.trim();
    if (missing.has(text)) {
      if (fill === undefined) return `is missing, but must be ${possible}`;
      text = String(fill);
    }
    const value = places === undefined ? (decimal.test(text) ? Number(text) : Number.NaN) : places.get(text);
    return value !== undefined && fitsType(value, dtype)
      ? value
      : `is ${showValue(text)}, but must be ${possible}`;
  };
}
