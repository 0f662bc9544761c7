import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ArraySpec, Buffer } from './ComputeBackend.ts';

const bufferTypes = {
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** A fresh buffer for an array. */
export function createBuffer({ shape, dtype }: ArraySpec): Buffer {
  return new bufferTypes[dtype](elementCount(shape));
}

/** Throws INVALID_ARGUMENT, naming the array, unless there is one buffer of the right type and length for each. */
export function checkBuffers(
  role: 'input' | 'output',
  specs: readonly ArraySpec[],
  buffers: readonly Buffer[],
): void {
  if (buffers.length !== specs.length) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `the program has ${specs.length} ${role}s, got ${buffers.length}`,
    );
  }
  specs.forEach(({ shape, dtype }, index) => {
    const buffer = buffers[index];
    if (!(buffer instanceof bufferTypes[dtype]) || buffer.length !== elementCount(shape)) {
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `${role} ${index} is ${dtype} [${shape.join(', ')}], got ${buffer.constructor.name} of length ${buffer.length}`,
      );
    }
  });
}
