import { TributaryError } from '../errors/TributaryError.ts';
import { limits } from '../limits/limits.ts';

/** One tensor's place in the flat parameter vector. Row-major, float32. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** First element in the flat vector. */
  readonly offset: number;
  /** Elements: the product of `shape`, 1 for a scalar. */
  readonly length: number;
}

/**
 * Tensors laid end to end, without padding, in the order in which the model's `init` returns them.
 * The flat vector is what is sharded, pushed, pulled and saved.
 */
export interface Layout {
  readonly tensors: readonly TensorSpec[];
  readonly length: number;
}

export function createLayout(tensors: readonly { name: string; shape: readonly number[] }[]): Layout {
  const placed: TensorSpec[] = [];
  const names = new Set<string>();
  let offset = 0;
  for (const { name, shape } of tensors) {
    if (names.has(name)) {
      throw new TributaryError('INVALID_ARGUMENT', `two parameters are named "${name}"`, {
        hint: 'Give every leaf of the parameter tree a path of its own.',
      });
    }
    names.add(name);
    let length = 1;
    for (const dimension of shape) {
      if (!Number.isInteger(dimension) || dimension < 0) {
        throw new TributaryError(
          'INVALID_ARGUMENT',
          `parameter "${name}" has the shape [${shape.join(', ')}]`,
          {
            hint: 'Dimensions are whole numbers, 0 or more.',
          },
        );
      }
      length *= dimension;
    }
    placed.push({ name, shape: [...shape], offset, length });
    offset += length;
  }
  if (offset > limits.elementsMax || placed.length > limits.tensorsMax) {
    throw new TributaryError(
      'RESOURCE_EXHAUSTED',
      `the model has ${placed.length} tensors with ${offset} elements`,
      {
        hint: `At most ${limits.tensorsMax} tensors and ${limits.elementsMax} elements are possible.`,
      },
    );
  }
  return { tensors: placed, length: offset };
}

/** The tensor that holds element `index` of the flat vector (binary search). */
export function tensorAt(layout: Layout, index: number): TensorSpec {
  let low = 0;
  let high = layout.tensors.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (layout.tensors[middle].offset <= index) low = middle;
    else high = middle - 1;
  }
  return layout.tensors[low];
}
