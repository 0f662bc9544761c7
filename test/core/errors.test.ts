import { invariant } from '@tributary/core/errors/invariant.ts';
import { asTributaryError, errorCodes, TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { expect, test } from 'vitest';

test('an error as one line: what was wrong, then what to do', () => {
  const cause = new Error('inner');
  const error = new TributaryError('NOT_FOUND', 'no such file', { hint: 'Look elsewhere.', cause });
  expect(error).toMatchObject({ name: 'TributaryError', code: 'NOT_FOUND', cause });
  expect(error.line).toBe('no such file. Look elsewhere.');
  expect(new TributaryError('UNKNOWN', 'odd').line).toBe('odd');
  expect('cause' in new TributaryError('UNKNOWN', 'odd')).toBe(false);
});

test('the codes are all of the status codes of gRPC but OK, with their numbers', () => {
  const numbers = Object.values(errorCodes).toSorted((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
});

test('whatever was thrown becomes the one class, once', () => {
  const own = new TributaryError('ABORTED', 'over');
  expect(asTributaryError(own)).toBe(own);
  const other = new RangeError('too far');
  expect(asTributaryError(other)).toMatchObject({ code: 'UNKNOWN', message: 'too far', cause: other });
  expect(asTributaryError('text').message).toBe('text');
});

test('a broken invariant is no operating error', () => {
  invariant(1, 'fine');
  expect(() => invariant(0, 'clocks only grow')).toThrow('broken invariant: clocks only grow');
  expect(() => invariant(false, '')).not.toThrow(TributaryError);
});
