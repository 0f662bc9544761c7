import { TributaryError } from '../errors/TributaryError.ts';

/**
 * The tensor half of PushMessage and PullMessage, which are alike on the wire:
 *
 *   message { oneof part { Header header = 1; Chunk chunk = 2; } }     Chunk { fixed32 offset = 1; bytes data = 2; }
 *
 * A general protobuf decoder would walk and copy megabytes to find two fields. Here a chunk is read by its few leading bytes and its
 * payload stays where the transport put it. What we write has one fixed shape, and its lengths are varints padded to four bytes (legal
 * protobuf): 15 bytes of head, so that behind gRPC's own 5 the payload begins at a multiple of 4 and can be viewed as float32. What we read
 * may be any legal encoding: fields in any order, repeated or unknown. Headers hold no tensors and go to the general decoder.
 *
 * Payloads are little-endian; so are all machines that this runs on.
 */
export interface Chunk {
  /** Of the first element, counted from the begin of the shard. */
  readonly offset: number;
  /** Float32 elements, little-endian: a view of the received message. */
  readonly data: Uint8Array;
}

export type ChunkMessage<Header> = { readonly header: Header } | { readonly chunk: Chunk };

/** Of a chunk as we write it, before its payload. */
export const chunkHeadBytes = 15;
const headerTag = (1 << 3) | 2;
const chunkTag = (2 << 3) | 2;
const offsetTag = (1 << 3) | 5;
const dataTag = (2 << 3) | 2;

/** The message that carries `data` (a view of at most 2^28 - 32 bytes) as a chunk. Copies it once: a gRPC message is one buffer. */
export function encodeChunk({ offset, data }: Chunk): Buffer {
  const message = Buffer.allocUnsafe(chunkHeadBytes + data.length);
  writeChunkHead(message, offset, data.length);
  message.set(data, chunkHeadBytes);
  return message;
}

/** Writes the head of a message that carries `bytes` of payload as a chunk: for who sends the payload from where it lies. */
export function writeChunkHead(message: Buffer, offset: number, bytes: number): void {
  message[0] = chunkTag;
  writePaddedVarint(message, 1, bytes + chunkHeadBytes - 5);
  message[5] = offsetTag;
  message.writeUInt32LE(offset, 6);
  message[10] = dataTag;
  writePaddedVarint(message, 11, bytes);
}

/** What a message of `length` bytes carries that begins as `head` does, if it is a chunk as writeChunkHead begins it. */
export function readChunkHead(head: Buffer, length: number): { offset: number; bytes: number } | undefined {
  if (head.length !== chunkHeadBytes) return undefined;
  const offset = head.readUInt32LE(6);
  const bytes = length - chunkHeadBytes;
  writeChunkHead(expectedHead, offset, bytes);
  return head.equals(expectedHead) ? { offset, bytes } : undefined;
}

const expectedHead = Buffer.alloc(chunkHeadBytes);

/** Reads a message; `decodeHeader` gets the whole of it if its part is the header. Throws INVALID_ARGUMENT if it is not protobuf or has no part. */
export function decodeChunkMessage<Header>(
  message: Uint8Array,
  decodeHeader: (message: Uint8Array) => Header,
): ChunkMessage<Header> {
  const reader = new Reader(message);
  let isHeader = false;
  let chunk: Chunk | undefined;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === headerTag) {
      reader.bytes();
      isHeader = true;
      chunk = undefined;
    } else if (tag === chunkTag) {
      // Of a oneof the last part counts, and the same part twice is merged.
      chunk = decodeChunk(reader.bytes(), chunk);
      isHeader = false;
    } else {
      reader.skip(tag);
    }
  }
  if (chunk !== undefined) return { chunk };
  if (isHeader) return { header: decodeHeader(message) };
  throw new TributaryError('INVALID_ARGUMENT', 'a message has neither a header nor a chunk');
}

function decodeChunk(bytes: Uint8Array, before: Chunk | undefined): Chunk {
  const reader = new Reader(bytes);
  let offset = before?.offset ?? 0;
  let data = before?.data ?? bytes.subarray(0, 0);
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === offsetTag) offset = reader.fixed32();
    else if (tag === dataTag) data = reader.bytes();
    else reader.skip(tag);
  }
  return { offset, data };
}

function writePaddedVarint(target: Buffer, at: number, value: number): void {
  target[at] = (value & 127) | 128;
  target[at + 1] = ((value >>> 7) & 127) | 128;
  target[at + 2] = ((value >>> 14) & 127) | 128;
  target[at + 3] = (value >>> 21) & 127;
}

/** Walks over the fields of one protobuf message. Every step is checked against its end. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** A tag or a length: 32 bits count, as in every protobuf reader. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#take(1)];
      if (shift < 35) value = (value | ((byte & 127) << shift)) >>> 0;
      if (byte < 128) return value;
    }
    throw malformed('a varint has more than 10 bytes');
  }

  fixed32(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }

  bytes(): Uint8Array {
    const length = this.varint();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  skip(tag: number): void {
    const field = tag >>> 3;
    if (field === 0) throw malformed('a field has the number 0');
    switch (tag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.#take(8);
        return;
      case 2:
        this.bytes();
        return;
      case 3:
        this.#skipGroup(field);
        return;
      case 5:
        this.#take(4);
        return;
      default:
        throw malformed(`field ${field} has the wire type ${tag & 7}`);
    }
  }

  /** Groups are history, but an unknown field may still be one. Counted, not recursive: nesting is the sender's choice. */
  #skipGroup(field: number): void {
    const open = [field];
    while (open.length > 0) {
      const tag = this.varint();
      if ((tag & 7) === 3) open.push(tag >>> 3);
      else if ((tag & 7) !== 4) this.skip(tag);
      else if (open.pop() !== tag >>> 3) throw malformed(`field ${field} is a group that does not end`);
    }
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at)
      throw malformed(`it ends in the middle of a field, after ${at} bytes`);
    this.#at = at + count;
    return at;
  }
}

function malformed(how: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', `a message is not protobuf: ${how}`);
}
