import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { CheckpointManifest, CheckpointStore } from '../Coordinator.ts';
import { readChunk } from './readChunk.ts';

/**
 * The bytes [byteOffset, byteOffset + bytes) of a checkpoint's safetensors file. Fetches the chunks that overlap, one at a time, and proves each whole.
 * OUT_OF_RANGE beyond the file; DATA_LOSS for a damaged chunk.
 */
export async function readRange(
  store: CheckpointStore,
  manifest: CheckpointManifest,
  byteOffset: number,
  bytes: number,
): Promise<Uint8Array> {
  const end = byteOffset + bytes;
  if (byteOffset < 0 || bytes < 0 || end > manifest.bytes) {
    throw new TributaryError(
      'OUT_OF_RANGE',
      `bytes ${byteOffset} to ${end} of checkpoint ${manifest.id} were asked for; it has ${manifest.bytes}`,
    );
  }
  const range = new Uint8Array(bytes);
  for (const chunk of manifest.chunks) {
    const from = Math.max(byteOffset, chunk.offset);
    const to = Math.min(end, chunk.offset + chunk.bytes);
    if (from >= to) continue;
    const content = await readChunk(store, manifest.id, chunk);
    range.set(content.subarray(from - chunk.offset, to - chunk.offset), from - byteOffset);
  }
  return range;
}
