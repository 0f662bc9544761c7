import { showValue } from '@tributary/core/errors/showValue.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { fitsType, typeRange } from './batchArrays.ts';
import type { BatchArray, FieldSpec } from './Dataset.ts';

export type NumericArray = Exclude<NodeJS.TypedArray, BigInt64Array | BigUint64Array | Float16Array>;

/** Numbers in arrays of arrays, as people and JSON write tensors. */
export type Nested = readonly (number | NumericArray | Nested)[];

/** The shape by the first entries; [] for a plain number. */
export function nestedShape(value: unknown): number[] {
  const shape: number[] = [];
  for (let level = value; isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

/**
 * Writes numbers of a shape, row-major, from `at` on; returns where the next would go. Throws INVALID_ARGUMENT for arrays of another
 * shape and numbers that do not fit the type; `place` is what the message calls the whole.
 */
export function writeNested(
  target: BatchArray['data'],
  at: number,
  value: unknown,
  shape: readonly number[],
  dtype: FieldSpec['dtype'],
  place: string,
): number {
  if (shape.length === 0) {
    if (typeof value !== 'number' || !fitsType(value, dtype)) throw misfit(place, value, typeRange[dtype]);
    target[at] = value;
    return at + 1;
  }
  const [length, ...inner] = shape;
  if (!isArray(value)) throw misfit(place, value, `an array of ${length}`);
  if (value.length !== length) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `${place} is an array of ${value.length}, but must be an array of ${length}`,
    );
  }
  let next = at;
  for (let index = 0; index < length; index++) {
    const entry = value[index];
    if (inner.length === 0 && typeof entry === 'number' && fitsType(entry, dtype)) target[next++] = entry;
    else next = writeNested(target, next, entry, inner, dtype, `${place}[${index}]`);
  }
  return next;
}

function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** `place` is what was found there, but must be something else. */
export function misfit(place: string, found: unknown, possible: string): TributaryError {
  const what = found === undefined ? 'is missing' : `is ${showValue(found)}`;
  return new TributaryError('INVALID_ARGUMENT', `${place} ${what}, but must be ${possible}`);
}
