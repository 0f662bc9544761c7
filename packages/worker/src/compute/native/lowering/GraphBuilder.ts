import { invariant } from '@tributary/core/errors/invariant.ts';
import {
  type Attribute,
  type Constant,
  type ElementType,
  elementTypeNumbers,
  type Node,
  type OnnxModel,
  type ValueInfo,
} from '../onnx/OnnxModel.ts';
import type { Tensor } from './View.ts';

type ElementArray = Float32Array | Float64Array | Int32Array | Uint32Array | BigInt64Array | Uint8Array;

/** Collects nodes and constants. The same operation on the same tensors is emitted once. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #constants: Constant[] = [];
  readonly #emitted = new Map<string, readonly Tensor[]>();
  /** What a reshaped tensor was before, so that reshaping twice reads the original. */
  readonly #unreshaped = new Map<Tensor, Tensor>();
  #names = 0;

  /** One operation with one result. */
  emit(
    op: string,
    inputs: readonly (Tensor | undefined)[],
    shape: readonly number[],
    type: ElementType,
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): Tensor {
    return this.emitMany(op, inputs, [{ shape, type }], attributes, domain)[0];
  }

  emitMany(
    op: string,
    inputs: readonly (Tensor | undefined)[],
    results: readonly { shape: readonly number[]; type: ElementType }[],
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): readonly Tensor[] {
    const names = inputs.map((input) => input?.name ?? '');
    const key = JSON.stringify([op, names, results, attributes]);
    const known = this.#emitted.get(key);
    if (known !== undefined) return known;
    const tensors = results.map(({ shape, type }) => this.#tensor(shape, type));
    this.#nodes.push({ op, inputs: names, outputs: tensors.map(({ name }) => name), attributes, domain });
    this.#emitted.set(key, tensors);
    return tensors;
  }

  /** An input of the graph: fed under its name at run time. */
  input(name: string, shape: readonly number[], type: ElementType): Tensor {
    return { name, shape, type, uniform: undefined };
  }

  /** A constant tensor. An array that is one number throughout becomes a scalar; views repeat it at no cost. */
  constant(values: readonly number[] | ElementArray, shape: readonly number[], type: ElementType): Tensor {
    const bytes = elementBytes(values, type);
    const key =
      bytes.length > 256 ? undefined : `constant ${type} [${shape}] ${Buffer.from(bytes).toString('hex')}`;
    const known = key === undefined ? undefined : this.#emitted.get(key);
    if (known !== undefined) return known[0];
    const tensor = this.#tensor(shape, type, shape.length === 0 ? Number(values[0]) : undefined);
    this.#constants.push({ name: tensor.name, type, shape, bytes });
    if (key !== undefined) this.#emitted.set(key, [tensor]);
    return tensor;
  }

  scalar(value: number, type: ElementType): Tensor {
    return this.constant([value], [], type);
  }

  /** Shapes, axes and the like, which ONNX takes as tensors. */
  integers(values: readonly number[]): Tensor {
    return this.constant(values, [values.length], 'int64');
  }

  reshape(tensor: Tensor, shape: readonly number[]): Tensor {
    if (sameShape(tensor.shape, shape)) return tensor;
    const original = this.#unreshaped.get(tensor) ?? tensor;
    if (sameShape(original.shape, shape)) return original;
    const reshaped = this.emit('Reshape', [original, this.integers(shape)], shape, tensor.type, {
      allowzero: 1,
    });
    this.#unreshaped.set(reshaped, original);
    return reshaped;
  }

  cast(tensor: Tensor, type: ElementType): Tensor {
    if (tensor.type === type) return tensor;
    if (tensor.uniform !== undefined) return this.scalar(convert(tensor.uniform, type), type);
    return this.emit('Cast', [tensor], tensor.shape, type, { to: elementTypeNumbers[type] });
  }

  /** The model with the given tensors as outputs, under the given names. */
  build(inputs: readonly ValueInfo[], outputs: readonly { name: string; tensor: Tensor }[]): OnnxModel {
    for (const { name, tensor } of outputs) {
      this.#nodes.push({
        op: 'Identity',
        inputs: [tensor.name],
        outputs: [name],
        attributes: {},
        domain: '',
      });
    }
    return {
      nodes: this.#nodes,
      constants: this.#constants,
      inputs,
      outputs: outputs.map(({ name, tensor: { type, shape } }) => ({ name, type, shape })),
    };
  }

  #tensor(shape: readonly number[], type: ElementType, uniform?: number): Tensor {
    invariant(
      shape.every((dimension) => Number.isInteger(dimension) && dimension >= 0),
      `shape [${shape}]`,
    );
    return { name: `t${this.#names++}`, shape, type, uniform };
  }
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, index) => dimension === b[index]);
}

function convert(value: number, type: ElementType): number {
  if (type === 'bool') return value === 0 ? 0 : 1;
  return type.startsWith('float') ? value : Math.trunc(value);
}

function elementBytes(values: readonly number[] | ElementArray, type: ElementType): Uint8Array {
  const typed = ((): ArrayBufferView => {
    switch (type) {
      case 'float32':
        return Float32Array.from(values as number[]);
      case 'float64':
        return Float64Array.from(values as number[]);
      case 'int32':
        return Int32Array.from(values as number[]);
      case 'uint32':
        return Uint32Array.from(values as number[]);
      case 'int64':
        return BigInt64Array.from(values as number[], (value) => BigInt(value));
      case 'bool':
        return Uint8Array.from(values as number[], (value) => (value === 0 ? 0 : 1));
      case 'float16':
      case 'uint64':
        throw new Error(`broken invariant: no constants of type ${type} are made`);
    }
  })();
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
}
