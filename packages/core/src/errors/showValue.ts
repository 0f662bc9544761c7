import { inspect } from 'node:util';

/** A value as a message shows it: in one line of at most 60 letters, as it would be written in a program. */
export function showValue(value: unknown): string {
  const text = inspect(value, { depth: 1, maxArrayLength: 4, breakLength: Number.POSITIVE_INFINITY });
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
