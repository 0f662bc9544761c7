import { bitRules } from './primitives/bits.ts';
import { convRules } from './primitives/conv.ts';
import { dotRules } from './primitives/dot.ts';
import { elementwiseRules } from './primitives/elementwise.ts';
import { fourierRules } from './primitives/fourier.ts';
import { indexingRules } from './primitives/indexing.ts';
import { poolRules } from './primitives/pool.ts';
import { reduceRules } from './primitives/reduce.ts';
import { shapeRules } from './primitives/shape.ts';
import { sortRules } from './primitives/sort.ts';
import type { Rule } from './Rule.ts';

/** Every primitive that has an ONNX form. */
export const rules: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...elementwiseRules,
    ...bitRules,
    ...reduceRules,
    ...dotRules,
    ...convRules,
    ...poolRules,
    ...indexingRules,
    ...sortRules,
    ...shapeRules,
    ...fourierRules,
  }),
);

/** Linear algebra, which ONNX lacks, with its parameters: run between native segments by jax-js on the host. */
export const hostPrimitives: ReadonlyMap<string, readonly string[]> = new Map([
  ['cholesky', []],
  ['lu', []],
  ['triangular_solve', ['unitDiagonal']],
  ['jacobi_eigh', ['maxSweeps', 'tolerance']],
]);
