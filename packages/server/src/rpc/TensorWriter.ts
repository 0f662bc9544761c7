import { type ChunkStream, writeChunks } from '@tributary/client/transport/writeChunks.ts';
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
type GrpcCall<Header> = ChunkStream &
  Cancellable & { write(message: { header: Header }): boolean; end(): void };

export function grpcWriter<Header>(call: GrpcCall<Header>): TensorWriter<Header> {
  const signal = signalOf(call);
  return {
    signal,
    async answer(header, chunks) {
      call.write({ header });
      await writeChunks(call, chunks, signal);
      call.end();
    },
  };
}
