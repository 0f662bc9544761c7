import { type FrameHead, flag, frameHeadBytes, frameType, preface, readFrameHead } from './frames.ts';
import { Http2Error } from './Http2Error.ts';

/** What is done with frames. Whatever a method throws ends the reading. */
export interface FrameSink {
  /** A frame begins. It is looked at before any room is made for it. */
  frame(head: FrameHead): void;
  /** Bytes of the DATA frame under way, without padding: as they came, to be used now. */
  data(bytes: Uint8Array, begin: number, end: number): void;
  dataEnded(): void;
  /** The payload of any other frame, whole: to be used now. */
  payload(payload: Uint8Array): void;
}

const nowhere = Buffer.alloc(0);

/** Cuts a stream of bytes into frames, however it arrives. Only payloads that are not DATA are ever put together; so what it holds is what `frame` let pass. */
export class FrameReader {
  readonly #sink: FrameSink;
  #prefaceRead: number;
  /** The head or payload under way that came in pieces. */
  readonly #headBytes = Buffer.alloc(frameHeadBytes);
  #headRead = 0;
  #head: FrameHead | undefined;
  #collected: Buffer = nowhere;
  #collectedRead = 0;
  #padLengthDue = false;
  #dataLeft = 0;
  #paddingLeft = 0;

  /** A server's first reads the preface. */
  constructor(sink: FrameSink, role: 'client' | 'server') {
    this.#sink = sink;
    this.#prefaceRead = role === 'server' ? 0 : preface.length;
  }

  get prefaceIsRead(): boolean {
    return this.#prefaceRead === preface.length;
  }

  /** Of the DATA frame under way, how many bytes of the application are still to come. */
  get dataLeft(): number {
    return this.#dataLeft;
  }

  /** Throws what the sink throws, and PROTOCOL_ERROR for a false preface. */
  read(bytes: Uint8Array, begin: number, end: number): void {
    let at = begin;
    while (at < end) {
      if (this.#head !== undefined) at = this.#readPayload(this.#head, bytes, at, end);
      else if (this.prefaceIsRead) at = this.#readHead(bytes, at, end);
      else if (bytes[at++] !== preface[this.#prefaceRead++])
        throw new Http2Error('PROTOCOL_ERROR', 'no preface');
    }
  }

  #readHead(bytes: Uint8Array, at: number, end: number): number {
    if (this.#headRead === 0 && end - at >= frameHeadBytes) {
      this.#begin(readFrameHead(bytes, at));
      return at + frameHeadBytes;
    }
    this.#headBytes[this.#headRead++] = bytes[at];
    if (this.#headRead === frameHeadBytes) {
      this.#headRead = 0;
      this.#begin(readFrameHead(this.#headBytes, 0));
    }
    return at + 1;
  }

  #begin(head: FrameHead): void {
    this.#sink.frame(head);
    this.#head = head;
    if (head.type === frameType.DATA) {
      this.#dataLeft = head.length;
      this.#padLengthDue = (head.flags & flag.PADDED) !== 0;
      if (this.#padLengthDue && head.length === 0)
        throw new Http2Error('FRAME_SIZE_ERROR', 'DATA without its length of padding');
      if (head.length === 0) this.#endData();
    } else if (head.length === 0) this.#endPayload(nowhere);
  }

  #readPayload(head: FrameHead, bytes: Uint8Array, at: number, end: number): number {
    if (head.type === frameType.DATA) return this.#readData(bytes, at, end);
    if (this.#collectedRead === 0 && end - at >= head.length) {
      this.#endPayload(bytes.subarray(at, at + head.length));
      return at + head.length;
    }
    if (this.#collectedRead === 0) this.#collected = Buffer.allocUnsafe(head.length);
    const count = Math.min(head.length - this.#collectedRead, end - at);
    this.#collected.set(bytes.subarray(at, at + count), this.#collectedRead);
    this.#collectedRead += count;
    if (this.#collectedRead === head.length) this.#endPayload(this.#collected);
    return at + count;
  }

  #readData(bytes: Uint8Array, begin: number, end: number): number {
    let at = begin;
    if (this.#padLengthDue) {
      this.#padLengthDue = false;
      this.#paddingLeft = bytes[at++];
      this.#dataLeft -= 1 + this.#paddingLeft;
      if (this.#dataLeft < 0) throw new Http2Error('PROTOCOL_ERROR', 'more padding than payload');
    }
    const count = Math.min(this.#dataLeft, end - at);
    if (count > 0) {
      this.#dataLeft -= count;
      this.#sink.data(bytes, at, at + count);
      at += count;
    }
    const padding = Math.min(this.#paddingLeft, end - at);
    this.#paddingLeft -= padding;
    if (this.#dataLeft === 0 && this.#paddingLeft === 0) this.#endData();
    return at + padding;
  }

  #endData(): void {
    this.#head = undefined;
    this.#sink.dataEnded();
  }

  #endPayload(payload: Uint8Array): void {
    this.#head = undefined;
    this.#collected = nowhere;
    this.#collectedRead = 0;
    this.#sink.payload(payload);
  }
}
