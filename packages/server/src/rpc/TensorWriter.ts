import { type EventEmitter, once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { type Cancellable, signalOf } from './calls.ts';

/** How a call answers with a header and a vector, whatever transport carries it. */
export interface TensorWriter<Header> {
  /** Fires when the caller is gone or its deadline has passed. */
  readonly signal: AbortSignal;
  /** Sends the header and the chunks, and ends the call. Settles when the chunks are not read any more. */
  answer(header: Header, chunks: Iterable<Chunk>): Promise<void>;
}

/** A call of grpc-js that answers so. */
type GrpcCall<Header> = EventEmitter &
  Cancellable & { write(message: { header: Header } | { chunk: Chunk }): boolean; end(): void };

export function grpcWriter<Header>(call: GrpcCall<Header>): TensorWriter<Header> {
  const signal = signalOf(call);
  return {
    signal,
    async answer(header, chunks) {
      call.write({ header });
      for (const chunk of chunks) {
        if (signal.aborted) break;
        if (!call.write({ chunk })) await once(call, 'drain', { signal }).catch(() => {});
      }
      call.end();
      // Until then a chunk may wait to become bytes of a message.
      await finished(call as unknown as Writable).catch(() => {});
    },
  };
}
