import type { CheckpointManifest, CheckpointStore } from '@tributary/coordinator/Coordinator.ts';
import { readRange } from '@tributary/coordinator/checkpoints/readRange.ts';
import { decodeHeader, type Header } from '@tributary/core/checkpoint-format/header.ts';

/** The header of a checkpoint, which is its first chunk. Throws DATA_LOSS if that is damaged. */
export async function readHeader(store: CheckpointStore, manifest: CheckpointManifest): Promise<Header> {
  return decodeHeader(await readRange(store, manifest, 0, manifest.chunks[0].bytes), manifest.bytes);
}
