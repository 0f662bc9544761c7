import { limits } from '../limits/limits.ts';
import { type FrameHead, flag, frameType, readUint32, windowMax } from './frames.ts';
import { Http2Error, protocolError } from './Http2Error.ts';
import type { Header } from './hpack/Header.ts';
import { HpackDecoder } from './hpack/HpackDecoder.ts';

/** The header table of HPACK that we offer: the RFC's default. */
const tableBytes = 4096;

export interface HeaderList {
  readonly streamId: number;
  readonly headers: readonly Header[];
  /** The stream ends with it. */
  readonly last: boolean;
}

/** Header lists from HEADERS and CONTINUATION frames. What it throws ends the connection: no later block could be read. */
export class HeaderReader {
  readonly #hpack = new HpackDecoder(tableBytes, limits.http2HeaderListBytesMax);
  #block: { streamId: number; flags: number; parts: Buffer[]; bytes: number } | undefined;

  /** Nothing may come between the frames of a block. */
  checkTurn({ type, streamId }: FrameHead): void {
    const isContinuation = type === frameType.CONTINUATION;
    if (this.#block === undefined) {
      if (isContinuation) throw protocolError('CONTINUATION of nothing');
    } else if (!isContinuation || streamId !== this.#block.streamId)
      throw protocolError('a header block is interrupted');
  }

  /** A list once it is complete. Throws FRAME_SIZE_ERROR, PROTOCOL_ERROR, COMPRESSION_ERROR or ENHANCE_YOUR_CALM. */
  read({ type, flags, streamId }: FrameHead, payload: Uint8Array): HeaderList | undefined {
    if (type === frameType.CONTINUATION) return this.#add(payload, flags);
    this.#block = { streamId, flags, parts: [], bytes: 0 };
    return this.#add(withoutPadding(payload, flags, streamId), flags);
  }

  #add(fragment: Uint8Array, flags: number): HeaderList | undefined {
    const block = this.#block!;
    block.bytes += fragment.length;
    if (block.bytes > limits.http2HeaderBlockBytesMax) {
      const most = limits.http2HeaderBlockBytesMax;
      throw new Http2Error('ENHANCE_YOUR_CALM', `a header block of more than ${most} bytes`);
    }
    block.parts.push(Buffer.from(fragment));
    if ((flags & flag.END_HEADERS) === 0) return undefined;
    this.#block = undefined;
    const headers = this.#hpack.decode(Buffer.concat(block.parts));
    return { streamId: block.streamId, headers, last: (block.flags & flag.END_STREAM) !== 0 };
  }
}

/** Of HEADERS, the fragment. */
function withoutPadding(payload: Uint8Array, flags: number, streamId: number): Uint8Array {
  let begin = 0;
  let end = payload.length;
  if ((flags & flag.PADDED) !== 0) {
    begin = 1;
    end -= payload[0];
  }
  if ((flags & flag.PRIORITY) !== 0) {
    checkDependency(payload.subarray(begin), streamId);
    begin += 5;
  }
  if (payload.length < begin) throw new Http2Error('FRAME_SIZE_ERROR', 'HEADERS that are too short');
  if (end < begin) throw protocolError('more padding than payload');
  return payload.subarray(begin, end);
}

/** Priorities are not looked at, but for what the RFC forbids. */
export function checkDependency(priority: Uint8Array, streamId: number): void {
  if (priority.length >= 4 && (readUint32(priority, 0) & windowMax) === streamId)
    throw protocolError(`stream ${streamId} depends on itself`);
}
