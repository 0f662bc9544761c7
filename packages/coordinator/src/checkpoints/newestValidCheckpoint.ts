import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { CheckpointManifest, CheckpointStore } from '../Coordinator.ts';
import { readChunk } from './readChunk.ts';

/**
 * The newest checkpoint of which every byte is proved; undefined if there is none. Damaged ones are told to `onCorrupt` with the reason and passed over
 * for the one before. With `jobHash`, only checkpoints of that very job count. Holds one chunk in memory at a time.
 */
export async function newestValidCheckpoint(
  store: CheckpointStore,
  options: { jobHash?: string; onCorrupt?: (manifest: CheckpointManifest, reason: string) => void } = {},
): Promise<CheckpointManifest | undefined> {
  for (const manifest of await store.list()) {
    if (options.jobHash !== undefined && manifest.jobHash !== options.jobHash) continue;
    const reason = await findDamage(store, manifest);
    if (reason === undefined) return manifest;
    options.onCorrupt?.(manifest, reason);
  }
  return undefined;
}

/** Why the checkpoint cannot be used, or undefined. */
async function findDamage(store: CheckpointStore, manifest: CheckpointManifest): Promise<string | undefined> {
  let end = 0;
  for (const chunk of manifest.chunks) {
    if (chunk.offset !== end) return `chunk ${chunk.index} begins at byte ${chunk.offset} instead of ${end}`;
    end += chunk.bytes;
    try {
      await readChunk(store, manifest.id, chunk);
    } catch (error) {
      if (error instanceof TributaryError && error.code === 'DATA_LOSS') return error.message;
      throw error;
    }
  }
  return end === manifest.bytes ? undefined : `its chunks have ${end} bytes instead of ${manifest.bytes}`;
}
