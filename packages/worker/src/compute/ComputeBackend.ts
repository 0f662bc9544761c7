import type { numpy as np } from '@jax-js/jax';

/** What a program takes or gives: row-major, of a fixed shape. */
export interface ArraySpec {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'uint32' | 'bool';
}

/** The flat memory of one array: Float32Array, Int32Array, Uint32Array, or Uint8Array for bool. */
export type Buffer = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** A function over jax arrays that can be traced: consumes its inputs, as jax-js functions do. */
export type ArrayFunction = (...inputs: np.Array[]) => np.Array[];

/**
 * Runs traced functions. Two backends keep this contract, native/ and reference/; one law suite (test/laws/compute.laws.ts) holds both to it.
 */
export interface ComputeBackend {
  readonly name: 'native' | 'reference' | 'auto';
  /**
   * Prepares `fn` for inputs of exactly these shapes and types. Throws UNIMPLEMENTED, naming the primitive, if this backend cannot run it.
   */
  compile(fn: ArrayFunction, inputs: readonly ArraySpec[], options?: CompileOptions): Promise<Program>;
}

export interface CompileOptions {
  /**
   * Outputs, by number, to give as what was added where, instead of as a mostly empty array: the gradients of lookup tables. Each is replaced by
   * the pairs [indices, rows] of its lookups: `rows[i]` is to be added to the slice `indices[i]` of the first axis; indices may repeat.
   */
  readonly sparseOutputs?: readonly number[];
}

/** A function compiled for one list of shapes. */
export interface Program {
  /** Who runs it: under the choice `auto` it may differ from program to program. */
  readonly backend: 'native' | 'reference';
  /** Whether it looks anything up by index, and so may find one out of range. */
  readonly indexes: boolean;
  readonly inputs: readonly ArraySpec[];
  readonly outputs: readonly ArraySpec[];
  /** Reads the inputs where they lie and fills the outputs; keeps neither. Buffers may be views of larger ones, shared memory too. */
  run(inputs: readonly Buffer[], outputs: readonly Buffer[]): Promise<void>;
  dispose(): void;
}
