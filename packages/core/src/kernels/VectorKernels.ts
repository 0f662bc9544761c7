import type { Codec } from '../codec/Codec.ts';
import type { Optimizer, UpdateStep } from '../optimizer/Optimizer.ts';

/**
 * What is done to long vectors, and where they live. Two implementations, the same to the last bit: `plainKernels` (the oracle, and what works
 * everywhere) and `createSimdKernels`. One law suite holds both (test/laws/vectorKernels.laws.ts).
 *
 * Passes that read a gradient anyway say whether it was finite: so that a gradient is searched for NaN only when there is one. So do
 * the block sums: a float32 squared cannot overflow float64, hence a sum is finite if and only if its elements are.
 */
export interface VectorKernels {
  /** For messages and benches. */
  readonly name: string;
  /** A new vector of zeros, in the place where the kernels are fast. Its address never changes. It is given back when all vectors of these kernels are. */
  allocate(length: number): Float32Array;
  /** target <- target + source. Returns whether all of `source` is finite; the sum is written in any case. */
  add(target: Float32Array, source: Float32Array): boolean;
  /** out <- factor * source, the factor rounded to float32. Returns whether all of `source` is finite. */
  scale(out: Float32Array, source: Float32Array, factor: number): boolean;
  /** values <- values / divisor, in place, rounded once to float32. */
  divide(values: Float32Array, divisor: number): void;
  /** Holds every element within [-bound, bound], in place. NaN stays. */
  clip(values: Float32Array, bound: number): void;
  /** Has it neither NaN nor infinities? */
  allFinite(values: Float32Array): boolean;
  /** As blockSquares of core/reduction. */
  blockSquares(values: Float32Array): Float64Array;
  /** As `optimizer.update`. */
  update(
    optimizer: Optimizer,
    parametersOut: Float32Array,
    parametersIn: Float32Array,
    gradient: Float32Array,
    slots: readonly Float32Array[],
    step: UpdateStep,
    shape?: readonly number[],
  ): void;
  /** As encodeBlocks of core/codec: `values` keeps what was lost. */
  encode(codec: Codec, values: Float32Array, bytes: Uint8Array): void;
  /** As decodeBlocks of core/codec. */
  decode(codec: Codec, bytes: Uint8Array, values: Float32Array): boolean;
}
