import { limits } from '../limits/limits.ts';
import type { Range } from '../partition/partition.ts';
import type { Chunk } from './chunkMessage.ts';

/** Ranges of a vector as chunks: views of it, with offsets counted from its begin. */
export function* chunksOf(values: Float32Array, ranges: readonly Range[]): Generator<Chunk> {
  const bytes = bytesOf(values);
  for (const { begin, end } of ranges) {
    for (let at = begin * 4; at < end * 4; at += limits.chunkBytes) {
      yield { offset: at / 4, data: bytes.subarray(at, Math.min(end * 4, at + limits.chunkBytes)) };
    }
  }
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
