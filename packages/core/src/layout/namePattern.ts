import { TributaryError } from '../errors/TributaryError.ts';

/*
 * Tensors are chosen by patterns of their names: `*` stands for any text, none and slashes included, all else for itself. `conv*` is `conv1/w` and
 * `conv1/b`, `conv*w` the weights alone, `*` everything.
 */

/** What the stars of the pattern stand for in this name, or undefined if it does not match. */
export function matchName(pattern: string, name: string): readonly string[] | undefined {
  const parts = pattern.split('*').map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('(.*)')}$`, 's').exec(name)?.slice(1);
}

/** The name that a pattern becomes with these texts for its stars; a star beyond them stands for itself. */
export function fillPattern(pattern: string, texts: readonly string[]): string {
  let star = 0;
  return pattern.replace(/\*/g, () => texts[star++] ?? '*');
}

/** The first of the patterns that the name matches. */
export function firstMatch(patterns: readonly string[], name: string): string | undefined {
  return patterns.find((pattern) => matchName(pattern, name) !== undefined);
}

/** Throws INVALID_ARGUMENT, naming the tensors that there are, for a pattern that none matches. `field` is where the patterns were given. */
export function requireMatches(field: string, patterns: readonly string[], names: readonly string[]): void {
  const idle = patterns.filter((pattern) => !names.some((name) => matchName(pattern, name) !== undefined));
  if (idle.length === 0) return;
  const quoted = idle.map((pattern) => `"${pattern}"`).join(', ');
  throw new TributaryError('INVALID_ARGUMENT', `${field}: no parameter of the model matches ${quoted}`, {
    hint: `Its parameters are ${listNames(names)}.`,
  });
}

/** More names than this say less. */
const namesShown = 40;

/** Names for a message: all, or the first of them and how many more. */
export function listNames(names: readonly string[], separator = ', '): string {
  const more = names.length - namesShown;
  const shown = names.slice(0, namesShown).join(separator);
  return more > 0 ? `${shown}${separator}and ${more} more` : shown;
}
