import { invariant } from '@tributary/core/errors/invariant.ts';
import type { BatchArray, FieldSpec } from './Dataset.ts';

/** Elements of a shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Room for `rows` examples of a field. */
export function emptyBatchArray({ shape, dtype }: FieldSpec, rows: number): BatchArray {
  const elements = rows * elementsOf(shape);
  return {
    shape: [rows, ...shape],
    data: dtype === 'float32' ? new Float32Array(elements) : new Int32Array(elements),
  };
}

/** A broken invariant if an example asked for is not in the data set. */
export function assertExamples(examples: Uint32Array, size: number): void {
  for (const example of examples) invariant(example < size, `example ${example} of ${size}`);
}

/** May the number be stored in this type without becoming another (float32: rounding apart)? */
export function fitsType(value: number, dtype: FieldSpec['dtype']): boolean {
  return dtype === 'int32' ? (value | 0) === value : Number.isFinite(Math.fround(value));
}

/** What `fitsType` allows, for messages. */
export const typeRange = {
  float32: 'a finite number within +-3.4e38',
  int32: `a whole number from ${-(2 ** 31)} to ${2 ** 31 - 1}`,
} as const;
