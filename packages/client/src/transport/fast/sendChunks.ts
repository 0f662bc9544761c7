import {
  type Chunk,
  chunkHeadBytes,
  encodeChunk,
  writeChunkHead,
} from '@tributary/core/codec/chunkMessage.ts';
import { messagePrefix } from '@tributary/core/codec/MessageReader.ts';
import type { Http2Stream } from '@tributary/core/http2/Http2Stream.ts';
import { limits } from '@tributary/core/limits/limits.ts';

/**
 * Sends chunks from where they lie, a few at a time, as the wire takes them. Calls `done` once: when all were taken, or the stream is closed and no
 * one reads them any more. Small ones are copied and need not be waited for. `queued`: what is sent now comes right behind the last; who has this need not wait, and only what is
 * written together with other pieces anyway is copied.
 */
export function sendChunks(
  stream: Http2Stream,
  chunks: Iterable<Chunk>,
  done: () => void,
  queued?: () => void,
): void {
  const copiedBytes = queued === undefined ? limits.copiedChunkBytes : limits.joinedBytes;
  const iterator = chunks[Symbol.iterator]();
  let underWay = 0;
  let exhausted = false;
  let finished = false;
  let sending = false;
  const finish = () => {
    if (finished || underWay > 0 || !(exhausted || stream.closed)) return;
    finished = true;
    done();
  };
  const sendMore = () => {
    // A closed stream takes at once, that is: while we are sending.
    if (sending) return;
    sending = true;
    while (!exhausted && !stream.closed && underWay < limits.chunksUnderWay) {
      const next = iterator.next();
      if (next.done === true) {
        exhausted = true;
        queued?.();
      } else if (next.value.data.length <= copiedBytes) stream.send(messageOf(encodeChunk(next.value)));
      else {
        underWay++;
        stream.send(partsOf(next.value), { taken });
      }
    }
    sending = false;
    finish();
  };
  const taken = () => {
    underWay--;
    sendMore();
  };
  sendMore();
}

/** A gRPC message as parts to send. */
export function messageOf(bytes: Uint8Array): Uint8Array[] {
  return [messagePrefix(bytes.length), bytes];
}

function partsOf({ offset, data }: Chunk): Uint8Array[] {
  const head = Buffer.allocUnsafe(chunkHeadBytes);
  writeChunkHead(head, offset, data.length);
  return [messagePrefix(head.length + data.length), head, data];
}
