import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import type {
  PullHeader,
  PullRequest,
  PushHeader,
  PushReply,
  ReduceHeader,
  ReduceTotalHeader,
  UnaryCalls,
} from './messages.ts';

/** How long a call may take, and who may end it before. */
export interface CallLimits {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Who gets the chunks of an answer, in order as they arrive. What it throws ends the call. */
export interface ChunkReceiver {
  /** Comes first, where the receiver has to know what the chunks are. */
  begin?(header: PullHeader | ReduceTotalHeader): void;
  /** Where the next payload belongs, if it may be written there at once; then `add` gets a view of just that place. */
  place(offset: number, bytes: number): Uint8Array | undefined;
  /** Its data is a view that must not be kept. */
  add(chunk: Chunk): void;
}

/** One connection to one server, `host:port` or `unix:PATH`: calls as promises, failures as TributaryError. One attempt each. */
export interface ServerChannel {
  readonly address: string;

  unary<Name extends keyof UnaryCalls>(
    name: Name,
    request: UnaryCalls[Name]['request'],
    callLimits: CallLimits,
  ): Promise<UnaryCalls[Name]['reply']>;

  /** Sends the header and the chunks, waiting whenever the transport is full. The chunks must not change until this settles. */
  push(header: PushHeader, chunks: Iterable<Chunk>, callLimits: CallLimits): Promise<PushReply>;

  /** Reads one shard. */
  pull(request: PullRequest, receiver: ChunkReceiver, callLimits: CallLimits): Promise<PullHeader>;

  /** Adds a vector to a sum over the ranks, and reads the total as `pull` does. The chunks must not change until this settles. */
  reduce(
    header: ReduceHeader,
    chunks: Iterable<Chunk>,
    receiver: ChunkReceiver | undefined,
    callLimits: CallLimits,
  ): Promise<ReduceTotalHeader>;

  close(): void;
}
