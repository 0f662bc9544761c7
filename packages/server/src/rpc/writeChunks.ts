import { type EventEmitter, once } from 'node:events';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Range } from '@tributary/core/partition/partition.ts';

/** What of a streaming call is written to. */
type ChunkWriter = EventEmitter & { write(message: { chunk: Chunk }): boolean };

/** Sends ranges of a vector in chunks, waiting whenever the transport is full. */
export async function writeChunks(
  call: ChunkWriter,
  values: Float32Array,
  ranges: readonly Range[],
  signal: AbortSignal,
): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (const { begin, end } of ranges) {
    for (let at = begin * 4; at < end * 4 && !signal.aborted; at += limits.chunkBytes) {
      const chunk = { offset: at / 4, data: bytes.subarray(at, Math.min(end * 4, at + limits.chunkBytes)) };
      if (!call.write({ chunk })) await once(call, 'drain', { signal }).catch(() => {});
    }
  }
}
