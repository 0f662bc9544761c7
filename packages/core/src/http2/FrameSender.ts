import { limits } from '../limits/limits.ts';
import { defaults, flag, frameHead, frameType, windowMax } from './frames.ts';
import { Http2Error } from './Http2Error.ts';
import type { Http2Stream, Outgoing } from './Http2Stream.ts';
import { encodeHeaders } from './hpack/encodeHeaders.ts';
import type { Header } from './hpack/Header.ts';

/** The wire under a connection. */
export interface Wire {
  /** Takes bytes to send, in order. `taken` is called once: when nobody reads the parts any more, because they left or the wire is closed. */
  write(parts: readonly Uint8Array[], taken?: () => void): void;
  /** Given to it and not taken yet. */
  readonly backlogBytes: number;
  /** No more comes: it closes when all is written. */
  end(): void;
}

/** What the streams of a connection send, within the peer's windows and as fast as the wire takes it. They take turns, a frame each. */
export class FrameSender {
  readonly #wire: Wire;
  readonly #onLastFrame: (stream: Http2Stream) => void;
  /** Those with something to send, in order of their turns. */
  readonly #ready = new Set<Http2Stream>();
  /** Those that wait for a window. */
  readonly #blocked = new Set<Http2Stream>();
  #window: number = defaults.windowBytes;
  /** What the peer accepts as one frame. */
  frameBytesMax: number = defaults.frameBytesMax;

  /** `onLastFrame`: our side of the stream has ended. */
  constructor(wire: Wire, onLastFrame: (stream: Http2Stream) => void) {
    this.#wire = wire;
    this.#onLastFrame = onLastFrame;
  }

  sendHeaders(stream: Http2Stream, headers: readonly Header[], last: boolean): void {
    const block = encodeHeaders(headers);
    const max = this.frameBytesMax;
    for (let at = 0; at === 0 || at < block.length; at += max) {
      const part = block.subarray(at, at + max);
      const type = at === 0 ? frameType.HEADERS : frameType.CONTINUATION;
      const flags =
        (at === 0 && last ? flag.END_STREAM : 0) | (at + max >= block.length ? flag.END_HEADERS : 0);
      this.#wire.write([frameHead(part.length, type, flags, stream.id), part]);
    }
    if (last) this.#onLastFrame(stream);
  }

  /** The peer's window of the connection grows. Throws FLOW_CONTROL_ERROR above 2^31 - 1. */
  grow(bytes: number): void {
    this.#window += bytes;
    if (this.#window > windowMax) throw new Http2Error('FLOW_CONTROL_ERROR', 'a window above 2^31 - 1');
    for (const stream of this.#blocked) this.#ready.add(stream);
    this.#blocked.clear();
  }

  /** The stream has more to send, or a greater window. */
  wake(stream: Http2Stream): void {
    this.#blocked.delete(stream);
    if (hasMore(stream)) this.#ready.add(stream);
  }

  /** The stream is closed: what it has queued is never sent. */
  drop(stream: Http2Stream): void {
    this.#ready.delete(stream);
    this.#blocked.delete(stream);
    for (const dropped of stream.queue.splice(0)) {
      dropped.bytesLeft = 0;
      if (dropped.underWay === 0) dropped.taken?.();
    }
  }

  /** Sends what there is room for. */
  pump(): void {
    for (const stream of this.#ready) {
      if (this.#wire.backlogBytes >= limits.http2BacklogBytes) return;
      this.#ready.delete(stream);
      if (!this.#sendFrame(stream)) this.#blocked.add(stream);
      // To the end of the line, which this loop comes to, too.
      else if (!stream.closed && hasMore(stream)) this.#ready.add(stream);
    }
  }

  /** False if there is no room in the windows. */
  #sendFrame(stream: Http2Stream): boolean {
    const next = stream.queue[0];
    if (next === undefined) {
      this.sendHeaders(stream, stream.trailers!, true);
      return true;
    }
    const length = Math.min(next.bytesLeft, this.#window, stream.sendWindow, this.frameBytesMax);
    if (length <= 0 && next.bytesLeft > 0) return false;
    const parts = cut(next, length);
    this.#window -= length;
    stream.sendWindow -= length;
    const done = next.bytesLeft === 0;
    if (done) stream.queue.shift();
    const last = done && next.last;
    next.underWay++;
    const head = frameHead(length, frameType.DATA, last ? flag.END_STREAM : 0, stream.id);
    this.#wire.write([head, ...parts], () => {
      next.underWay--;
      if (next.underWay === 0 && next.bytesLeft === 0) next.taken?.();
    });
    if (last) this.#onLastFrame(stream);
    return true;
  }
}

function hasMore({ queue, trailers, localEnded }: Http2Stream): boolean {
  return queue.length > 0 || (trailers !== undefined && !localEnded);
}

/** Takes `length` bytes off the front. */
function cut(outgoing: Outgoing, length: number): Uint8Array[] {
  const { parts } = outgoing;
  outgoing.bytesLeft -= length;
  const taken: Uint8Array[] = [];
  for (let left = length; left > 0; ) {
    const part = parts[0];
    if (part.length <= left) {
      taken.push(part);
      parts.shift();
    } else {
      taken.push(part.subarray(0, left));
      parts[0] = part.subarray(left);
    }
    left -= Math.min(left, part.length);
  }
  return taken;
}
