import { TributaryError } from '../errors/TributaryError.ts';
import { limits } from '../limits/limits.ts';
import { type Chunk, chunkHeadBytes, readChunkHead } from './chunkMessage.ts';
import { copyInto } from './copyInto.ts';

/** What is done with the messages of a stream. What a method throws ends the reading. */
export interface MessageSink {
  /** A message, whole. The bytes are the sink's to keep. */
  message(bytes: Buffer): void;
  /** A chunk of our own shape begins: where its payload shall go. Undefined: it comes as a message. */
  place?(offset: number, bytes: number): Uint8Array | undefined;
  /** That payload has come; `data` is the place. */
  chunk?(chunk: Chunk): void;
}

/** What gRPC puts before each message: a flag for compression, and the length. */
const prefixBytes = 5;

/**
 * Cuts a stream of bytes into gRPC messages. The payload of a chunk goes to where it belongs: one copy, or none if the transport reads to that place. All else is put
 * together in a buffer of its own.
 */
export class MessageReader {
  readonly #sink: MessageSink;
  /** The prefix, and of a message that is long enough as much as the head of a chunk has. */
  readonly #head = Buffer.alloc(prefixBytes + chunkHeadBytes);
  #headRead = 0;
  #headDue = prefixBytes;
  #offset = 0;
  /** The rest of the message under way goes here. */
  #target: Uint8Array | undefined;
  #targetRead = 0;
  #isChunk = false;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** No message is under way. */
  get atBoundary(): boolean {
    return this.#headRead === 0 && this.#target === undefined;
  }

  /** Where the next bytes belong, if they are of a chunk that has its place. */
  get place(): Uint8Array | undefined {
    return this.#isChunk ? this.#target?.subarray(this.#targetRead) : undefined;
  }

  /** Throws UNIMPLEMENTED for a compressed message, RESOURCE_EXHAUSTED for one that is too long, and what the sink throws. */
  read(bytes: Uint8Array, begin: number, end: number): void {
    for (let at = begin; at < end; ) {
      at =
        this.#target === undefined
          ? this.#readHead(bytes, at, end)
          : this.#fill(this.#target, bytes, at, end);
    }
  }

  #readHead(bytes: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#headDue - this.#headRead, end - at);
    this.#head.set(bytes.subarray(at, at + count), this.#headRead);
    this.#headRead += count;
    if (this.#headRead === this.#headDue) this.#headIsRead();
    return at + count;
  }

  #headIsRead(): void {
    if (this.#head[0] !== 0)
      throw new TributaryError('UNIMPLEMENTED', 'a message is compressed; only "identity" is accepted');
    const length = this.#head.readUInt32BE(1);
    if (length > limits.messageBytesMax) {
      throw new TributaryError(
        'RESOURCE_EXHAUSTED',
        `a message of ${length} bytes; at most ${limits.messageBytesMax} are accepted`,
      );
    }
    if (this.#headDue === prefixBytes && length >= chunkHeadBytes) {
      this.#headDue += chunkHeadBytes;
      return;
    }
    const early = this.#head.subarray(prefixBytes, this.#headRead);
    this.#headRead = 0;
    this.#headDue = prefixBytes;
    const chunk = readChunkHead(early, length);
    const place = chunk && this.#sink.place?.(chunk.offset, chunk.bytes);
    this.#isChunk = place !== undefined;
    this.#offset = chunk?.offset ?? 0;
    if (place !== undefined) this.#begin(place, 0);
    else {
      const message = Buffer.allocUnsafe(length);
      message.set(early);
      this.#begin(message, early.length);
    }
  }

  #begin(target: Uint8Array, filled: number): void {
    this.#target = target;
    this.#targetRead = filled;
    if (filled === target.length) this.#endMessage(target);
  }

  #fill(target: Uint8Array, bytes: Uint8Array, at: number, end: number): number {
    const count = Math.min(target.length - this.#targetRead, end - at);
    copyInto(target, this.#targetRead, bytes.subarray(at, at + count));
    this.#targetRead += count;
    if (this.#targetRead === target.length) this.#endMessage(target);
    return at + count;
  }

  #endMessage(target: Uint8Array): void {
    this.#target = undefined;
    if (this.#isChunk) this.#sink.chunk!({ offset: this.#offset, data: target });
    else this.#sink.message(target as Buffer);
  }
}

/** The prefix of a message that follows. */
export function messagePrefix(length: number): Buffer {
  const prefix = Buffer.allocUnsafe(prefixBytes);
  prefix[0] = 0;
  prefix.writeUInt32BE(length, 1);
  return prefix;
}
