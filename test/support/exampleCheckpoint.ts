import { createHash } from 'node:crypto';
import type { CheckpointManifest, CheckpointStore } from '@tributary/coordinator/Coordinator.ts';

/** Writes the chunks of a checkpoint and returns its manifest, not committed yet. */
export async function writeChunks(
  store: CheckpointStore,
  id: string,
  chunks: readonly Uint8Array[],
  changes: Partial<CheckpointManifest> = {},
): Promise<CheckpointManifest> {
  let bytes = 0;
  const described = [];
  for (const [index, chunk] of chunks.entries()) {
    await store.putChunk(id, index, chunk);
    const sha256 = createHash('sha256').update(chunk).digest('hex');
    described.push({ index, offset: bytes, bytes: chunk.byteLength, sha256 });
    bytes += chunk.byteLength;
  }
  const shards = [{ begin: 0, end: 20, updates: 10, clocks: [10, 10, 10, 10] }];
  return {
    id,
    jobHash: 'hash',
    step: 10,
    createdAtMs: 1_700_000_000_000,
    bytes,
    chunks: described,
    shards,
    ...changes,
  };
}

/** Bytes of every value, none of them text. */
export function pseudoRandomBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
