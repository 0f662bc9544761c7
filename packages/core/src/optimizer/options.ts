import { nearestName } from '../errors/nearestName.ts';
import { TributaryError } from '../errors/TributaryError.ts';

/** What one named number (or switch, or name) of a method may be, and what it is when not given; without `initial` it must be given. */
export type Option =
  | {
      readonly kind: 'number';
      readonly initial?: number;
      readonly accepts: (value: number) => boolean;
      readonly range: string;
    }
  | { readonly kind: 'switch'; readonly initial: boolean }
  | { readonly kind: 'choice'; readonly initial: string; readonly names: readonly string[] };

export type OptionTable = Readonly<Record<string, Option>>;

/** Every option of a table with its value: given or default. */
export type Resolved<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly kind: 'switch' }
    ? boolean
    : Table[Name] extends { readonly kind: 'choice'; readonly names: readonly (infer Choice)[] }
      ? Choice
      : number;
};

type NumberOption = Extract<Option, { kind: 'number' }>;
type SwitchOption = Extract<Option, { kind: 'switch' }>;

// The kernels compute in float32, so a number must be one there too: 1e-50 would be 0, and 1e50 infinite.
const isPositive = (value: number) => Math.fround(value) > 0 && Number.isFinite(Math.fround(value));

export function positive(initial: number): NumberOption {
  return { kind: 'number', initial, accepts: isPositive, range: 'above 0' };
}

export function nonNegative(initial: number): NumberOption {
  return {
    kind: 'number',
    initial,
    accepts: (value) => value === 0 || isPositive(value),
    range: '0 or more',
  };
}

/** A rate of decay: 1 would never forget. */
export function fraction(initial: number): NumberOption {
  const accepts = (value: number) => value >= 0 && Math.fround(value) < 1;
  return { kind: 'number', initial, accepts, range: 'from 0 to below 1' };
}

/** A factor that does not grow. */
export function upToOne(initial: number): NumberOption {
  return { kind: 'number', initial, accepts: (value) => value >= 0 && value <= 1, range: 'from 0 to 1' };
}

/** Must be given, unless there is an `initial`. */
export function wholeNumber(least: number, initial?: number): NumberOption {
  const accepts = (value: number) => Number.isSafeInteger(value) && value >= least;
  const option = { kind: 'number', accepts, range: `a whole number, ${least} or more` } as const;
  return initial === undefined ? option : { ...option, initial };
}

export function flag(initial: boolean): SwitchOption {
  return { kind: 'switch', initial };
}

/** One of these names; the first unless another is given. */
export function choice<const Name extends string>(
  ...names: readonly [Name, ...Name[]]
): { readonly kind: 'choice'; readonly initial: Name; readonly names: readonly Name[] } {
  return { kind: 'choice', initial: names[0], names };
}

/**
 * Fills in the defaults. `owner` is for messages, such as `optimizer "adam"`, and `source` where to read about them, such as `Kingma & Ba, 2015`.
 * Throws INVALID_ARGUMENT for an unknown name, a wrong type, or a number out of range; the hint lists what is possible.
 */
export function resolveOptions<Table extends OptionTable>(
  owner: string,
  table: Table,
  given: Readonly<Record<string, unknown>>,
  source = '',
): Resolved<Table> {
  const possible = source === '' ? describeTable(table) : `${describeTable(table)} Source: ${source}.`;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(table, name)) {
      const nearest = nearestName(name, Object.keys(table));
      const suggestion = nearest === undefined ? '' : `Did you mean "${nearest}"? `;
      throw new TributaryError('INVALID_ARGUMENT', `${owner} has no option "${name}"`, {
        hint: `${suggestion}${describeTable(table)}`,
      });
    }
  }
  const resolved: Record<string, number | boolean | string> = {};
  for (const [name, option] of Object.entries(table)) {
    const value = given[name] ?? option.initial;
    if (value === undefined) {
      throw new TributaryError('INVALID_ARGUMENT', `${owner} needs the option ${name}`, {
        hint: possible,
      });
    }
    if (!accepts(option, value)) {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `${owner}: ${name} is ${JSON.stringify(value) ?? String(value)}`,
        {
          hint: `It must be ${describeRange(option)}. ${possible}`,
        },
      );
    }
    resolved[name] = value;
  }
  return resolved as Resolved<Table>;
}

/** The row called `name`. Throws INVALID_ARGUMENT with the list of names if there is none. */
export function rowNamed<Row>(kind: string, rows: Readonly<Record<string, Row>>, name: string): Row {
  if (Object.hasOwn(rows, name)) return rows[name];
  throw new TributaryError('INVALID_ARGUMENT', `there is no ${kind} "${name}"`, {
    hint: `Use one of: ${Object.keys(rows).join(', ')}.`,
  });
}

function accepts(option: Option, value: unknown): value is number | boolean | string {
  if (option.kind === 'switch') return typeof value === 'boolean';
  if (option.kind === 'choice') return option.names.includes(value as string);
  return typeof value === 'number' && option.accepts(value);
}

function describeRange(option: Option): string {
  if (option.kind === 'choice') return `one of ${option.names.join(', ')}`;
  return option.kind === 'switch' ? 'true or false' : option.range;
}

function describeTable(table: OptionTable): string {
  const options = Object.entries(table).map(
    ([name, option]) =>
      `${name} (${describeRange(option)}${option.initial === undefined ? '' : `; ${option.initial} by default`})`,
  );
  return options.length === 0 ? 'It takes no options.' : `Its options: ${options.join(', ')}.`;
}
