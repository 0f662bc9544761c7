/** The part of ONNX (https://onnx.ai/onnx/intro) that the lowering speaks: one graph of nodes over named tensors of fixed shapes. */

/** Element types by their names in jax-js and typed arrays, with ONNX's numbers for them (TensorProto.DataType). */
export const elementTypeNumbers = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;
export type ElementType = keyof typeof elementTypeNumbers;

/** Whole numbers are written as integers; write `float(x)` where ONNX wants a float whatever the value. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly tensor: Constant };

/** A tensor known before the program runs. */
export interface Constant {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian elements, row-major. */
  readonly bytes: Uint8Array;
}

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** One operation. Mutable, because fusion rewrites nodes in place. */
export interface Node {
  op: string;
  /** Names of tensors, '' for an optional one left out. */
  inputs: string[];
  outputs: string[];
  attributes: Record<string, Attribute>;
  /** '' is ONNX itself; `com.microsoft` has onnxruntime's own operators. */
  domain: string;
}

export interface OnnxModel {
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}
