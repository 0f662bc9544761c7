import { type EventEmitter, once } from 'node:events';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { limits } from '@tributary/core/limits/limits.ts';

/** A stream of grpc-js that takes chunks. */
export type ChunkStream = EventEmitter & {
  write(message: { chunk: Chunk }, written: () => void): boolean;
};

/**
 * Sends chunks as fast as the stream takes them, until `ended` fires: then there is nobody left to write to, and no 'drain' to wait for. Settles when nobody reads them
 * any more: a message that waits for its turn is no bytes yet. Small chunks are copied and need not be waited for. `queued`: what is sent now comes right behind the last.
 */
export async function writeChunks(
  stream: ChunkStream,
  chunks: Iterable<Chunk>,
  ended: AbortSignal,
  queued?: () => void,
): Promise<void> {
  let last: Promise<void> | undefined;
  for (const { offset, data } of chunks) {
    if (ended.aborted) return;
    const written = Promise.withResolvers<void>();
    const isSmall = data.length <= limits.copiedChunkBytes;
    const chunk = { offset, data: isSmall ? data.slice() : data };
    const hasRoom = stream.write({ chunk }, written.resolve);
    if (!isSmall) last = written.promise;
    if (!hasRoom) await once(stream, 'drain', { signal: ended }).catch(() => {});
  }
  queued?.();
  if (last !== undefined) await unlessAborted(last, ended);
}

/** Settles with the promise, or when the signal fires, and leaves nothing at the signal, which lasts as long as the stream. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  signal.addEventListener('abort', abort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener('abort', abort);
}
