import { nearestName } from '@tributary/core/errors/nearestName.ts';
import { showValue } from '@tributary/core/errors/showValue.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

export type OptionValue = string | number | boolean;

/** What a job leaves open, by name: a default, whose type is the option's, or a list of choices, the first of which is the default. */
export type JobOptions = Readonly<Record<string, OptionValue | readonly [string, ...string[]]>>;

/** One value for each option. */
export type ValuesOf<Options extends JobOptions> = {
  readonly [Name in keyof Options]: Options[Name] extends readonly (infer Choice)[]
    ? Choice
    : Options[Name] extends number
      ? number
      : Options[Name] extends boolean
        ? boolean
        : string;
};

export type OptionValues = Readonly<Record<string, OptionValue>>;

/**
 * Every option with its value: given, as text or as what it is, or the default. Throws INVALID_ARGUMENT for an unknown name, naming the nearest and all
 * others, and for a value that the option cannot take, saying which it can.
 */
export function resolveJobOptions(declared: JobOptions, given: OptionValues): OptionValues {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(declared, name)) throw unknownOption(name, declared);
  }
  return Object.fromEntries(
    Object.entries(declared).map(([name, possible]) => {
      const fallback = Array.isArray(possible) ? possible[0] : possible;
      return [name, checkedValue(name, possible, given[name] ?? fallback)];
    }),
  );
}

/** For people: each option with what it may be. */
export function describeJobOptions(declared: JobOptions): string {
  const names = Object.entries(declared).map(([name, possible]) => `${name} (${describe(possible)})`);
  return names.length === 0 ? 'The job has no options.' : `Options of the job: ${names.join(', ')}.`;
}

function unknownOption(name: string, declared: JobOptions): TributaryError {
  const nearest = nearestName(name, Object.keys(declared));
  const suggestion = nearest === undefined ? '' : `Did you mean "${nearest}"? `;
  return new TributaryError('INVALID_ARGUMENT', `the job has no option "${name}"`, {
    hint: `${suggestion}${describeJobOptions(declared)}`,
  });
}

function checkedValue(name: string, possible: JobOptions[string], given: OptionValue): OptionValue {
  const value = typeof given === 'string' ? parse(possible, given) : given;
  const accepted = Array.isArray(possible)
    ? possible.includes(value)
    : typeof value === typeof possible && !Number.isNaN(value);
  if (accepted) return value;
  throw new TributaryError('INVALID_ARGUMENT', `the job's option ${name} is ${showValue(given)}`, {
    hint: `It must be ${describe(possible)}.`,
  });
}

/** Text as the option's type, or as it is where it is not of that type. */
function parse(possible: JobOptions[string], text: string): OptionValue {
  if (typeof possible === 'number' && text.trim() !== '') return Number(text);
  if (typeof possible === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  return text;
}

function describe(possible: JobOptions[string]): string {
  if (typeof possible === 'object') return possible.join(' or ');
  if (typeof possible === 'string') return `text, "${possible}" by default`;
  return `${typeof possible === 'number' ? 'a number' : 'true or false'}, ${possible} by default`;
}
