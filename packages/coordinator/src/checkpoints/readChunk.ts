import { createHash } from 'node:crypto';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { CheckpointChunk, CheckpointStore } from '../Coordinator.ts';

/** Fetches a chunk of a committed checkpoint and proves it: present, of its size, of its checksum. DATA_LOSS says what is wrong. */
export async function readChunk(
  store: CheckpointStore,
  id: string,
  chunk: CheckpointChunk,
): Promise<Uint8Array> {
  const damaged = (what: string) =>
    new TributaryError('DATA_LOSS', `chunk ${chunk.index} of checkpoint ${id} ${what}`);
  const bytes = await store.getChunk(id, chunk.index);
  if (bytes === undefined) throw damaged('is missing');
  if (bytes.byteLength !== chunk.bytes)
    throw damaged(`has ${bytes.byteLength} bytes instead of ${chunk.bytes}`);
  if (createHash('sha256').update(bytes).digest('hex') !== chunk.sha256) {
    throw damaged('does not have the checksum it was written with');
  }
  return bytes;
}
