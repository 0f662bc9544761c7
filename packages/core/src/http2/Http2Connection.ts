import { invariant } from '../errors/invariant.ts';
import { limits } from '../limits/limits.ts';
import { Allowance } from './Allowance.ts';
import { checkFrame } from './checkFrame.ts';
import { checkRequest, checkResponse, checkTrailers, contentLength } from './checkHeaders.ts';
import { FrameReader, type FrameSink } from './FrameReader.ts';
import { FrameSender, type Wire } from './FrameSender.ts';
import {
  defaults,
  type FrameHead,
  flag,
  frameType,
  goAway,
  pingFrame,
  preface,
  readUint32,
  rstStream,
  setting,
  settingsAck,
  settingsFrame,
  windowMax,
  windowUpdate,
} from './frames.ts';
import { checkDependency, HeaderReader } from './HeaderReader.ts';
import { errorName, Http2Error, type Http2ErrorName, protocolError } from './Http2Error.ts';
import { Http2Stream, type StreamCarrier, type StreamHandler } from './Http2Stream.ts';
import type { Header } from './hpack/Header.ts';

export interface ConnectionOptions {
  readonly role: 'client' | 'server';
  readonly wire: Wire;
  /** Of a server: a request came. Called once for each stream; what it returns gets the rest. */
  readonly accept?: (stream: Http2Stream, headers: readonly Header[]) => StreamHandler;
  /** The peer answered a ping. */
  readonly onPong?: () => void;
  /** A stream has ended, or the peer allows more: a new one may be possible. */
  readonly onRoom?: () => void;
  /** The last thing that happens: no stream is left and none can come. `error` says why, unless it was asked for. */
  readonly onClosed?: (error: Http2Error | undefined) => void;
}

const pingBytes = Buffer.from('tributar', 'latin1');
/**
 * One HTTP/2 connection (RFC 9113), either side of it, as a state machine: bytes in, bytes out, and no socket, clock or timer. It knows streams,
 * windows and limits, and nothing of gRPC. Priorities and server push are not offered; who wants to send takes turns, frame by frame.
 *
 * What a peer can make us hold is bounded: one control frame or header block, the windows, the streams at once, and the answers that it does not read.
 * What it can make us do for nothing is rationed (Allowance). (Above 400 lines, because each kind of frame is a case of the same few fields.)
 */
export class Http2Connection implements FrameSink, StreamCarrier {
  readonly #options: ConnectionOptions;
  readonly #wire: Wire;
  readonly #server: boolean;
  readonly #reader: FrameReader;
  readonly #headers = new HeaderReader();
  readonly #sender: FrameSender;
  readonly #streams = new Map<number, Http2Stream>();
  /** Streams that we reset, the latest ones: the peer may not know yet. */
  readonly #resetHere = new Set<number>();
  readonly #allowance = new Allowance(limits.http2IdleFramesBurst, limits.http2IdleFramesPerSecond);
  /** The highest stream of the peer (of a server) or of ours (of a client). */
  #lastStreamId: number;
  #receiveWindow: number = limits.connectionWindowBytes;
  #unacknowledged = 0;
  /** What the peer said: the window of a new stream, and how many streams there may be. */
  #peer = { windowBytes: defaults.windowBytes as number, streamsMax: 2 ** 31 };
  #greeted = false;
  #nowMs = 0;
  #reading = false;
  /** The frame under way. */
  #head!: FrameHead;
  /** Of a DATA frame under way: who gets it; undefined if nobody does. */
  #receiver: Http2Stream | undefined;
  /** Of its payload, what was not given to the receiver: in the end, the padding. */
  #padding = 0;
  /** No stream is begun any more. */
  #leaving = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#wire = options.wire;
    this.#server = options.role === 'server';
    this.#reader = new FrameReader(this, options.role);
    this.#sender = new FrameSender(options.wire, (stream) => this.#localEnds(stream));
    this.#lastStreamId = this.#server ? 0 : -1;
    const announced: [number, number][] = [
      [setting.INITIAL_WINDOW_SIZE, limits.windowBytes],
      [setting.MAX_FRAME_SIZE, limits.http2FrameBytesMax],
      [setting.MAX_HEADER_LIST_SIZE, limits.http2HeaderListBytesMax],
      this.#server ? [setting.MAX_CONCURRENT_STREAMS, limits.http2StreamsMax] : [setting.ENABLE_PUSH, 0],
    ];
    const greeting = [
      settingsFrame(announced),
      windowUpdate(0, limits.connectionWindowBytes - defaults.windowBytes),
    ];
    this.#wire.write(this.#server ? greeting : [preface, ...greeting]);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The peer has said hello. */
  get greeted(): boolean {
    return this.#greeted;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Of a client: may a stream be begun now? */
  get hasRoom(): boolean {
    const most = this.#greeted ? this.#peer.streamsMax : limits.http2StreamsBeforeGreeting;
    return !this.#leaving && !this.#closed && this.#streams.size < most;
  }

  /** Will it ever take another stream? */
  get isLeaving(): boolean {
    return this.#leaving || this.#closed;
  }

  /** Of the DATA frame under way, how many bytes are to come, and for whom: to let the socket put them where they belong. */
  get dataUnderWay(): { readonly bytes: number; readonly handler: StreamHandler } | undefined {
    const bytes = this.#reader.dataLeft;
    return bytes > 0 && this.#receiver?.closed === false
      ? { bytes, handler: this.#receiver.handler }
      : undefined;
  }

  /** Of a client: begins a stream, if there is room for one. */
  request(headers: readonly Header[], handler: StreamHandler, last: boolean): Http2Stream {
    invariant(!this.#server && this.hasRoom, 'a client begins streams while there is room');
    this.#lastStreamId += 2;
    const stream = this.#open(this.#lastStreamId, handler);
    this.sendHeaders(stream, headers, last);
    return stream;
  }

  /** Bytes came. `nowMs` is of a clock that does not go back. */
  receive(bytes: Uint8Array, begin: number, end: number, nowMs: number): void {
    if (this.#closed) return;
    this.#nowMs = nowMs;
    this.#reading = true;
    try {
      this.#reader.read(bytes, begin, end);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.fail(error);
    } finally {
      this.#reading = false;
    }
    this.pump();
  }

  /** Sends what there is room for: called when the wire has taken something. */
  pump(): void {
    if (!this.#reading && !this.#closed) this.#sender.pump();
  }

  ping(): void {
    this.#wire.write([pingFrame(0, pingBytes)]);
  }

  /** Takes no new streams; those that are there go on. */
  leave(): void {
    if (this.#leaving || this.#closed) return;
    this.#leaving = true;
    this.#wire.write([goAway(this.#server ? this.#lastStreamId : 0, 'NO_ERROR', '')]);
    this.#closeIfDone();
  }

  /** Ends the connection and all its streams, and tells the peer why. */
  fail(error: Http2Error): void {
    if (this.#closed) return;
    this.#wire.write([goAway(this.#server ? this.#lastStreamId : 0, error.code, error.message)]);
    this.#close(error);
  }

  /** The wire is closed from the other side, or broken. */
  lost(message: string): void {
    this.#close(new Http2Error('CONNECT_ERROR', message));
  }

  // What comes

  frame(head: FrameHead): void {
    this.#head = head;
    checkFrame(head);
    this.#headers.checkTurn(head);
    if (!this.#greeted && (head.type !== frameType.SETTINGS || (head.flags & flag.ACK) !== 0))
      throw protocolError('the first frame is not SETTINGS');
    if (head.type === frameType.DATA) this.#dataBegins(head);
  }

  #dataBegins({ length, flags, streamId }: FrameHead): void {
    if (length > this.#receiveWindow)
      throw new Http2Error('FLOW_CONTROL_ERROR', 'more than the window of the connection');
    if (length === 0 && (flags & flag.END_STREAM) === 0) this.#ration('empty frames');
    this.#receiveWindow -= length;
    this.#receiver = this.#known(streamId, 'DATA');
    if (this.#receiver === undefined) {
      this.#acknowledge(length);
      if (!this.#resetHere.has(streamId))
        this.#refuse(streamId, 'STREAM_CLOSED', 'DATA on a stream that is closed');
      return;
    }
    const stream = this.#receiver;
    if (stream.remoteEnded) this.reset(stream, 'STREAM_CLOSED', 'DATA after the end');
    else if (!this.#server && !stream.opened) this.reset(stream, 'PROTOCOL_ERROR', 'DATA before the headers');
    else if (length > stream.receiveWindow)
      this.reset(stream, 'FLOW_CONTROL_ERROR', 'more than the window of the stream');
    if (stream.closed) {
      this.#receiver = undefined;
      this.#acknowledge(length);
      return;
    }
    stream.receiveWindow -= length;
    stream.unconsumed += length;
    this.#padding = length;
  }

  data(bytes: Uint8Array, begin: number, end: number): void {
    const stream = this.#receiver;
    if (stream === undefined || stream.closed) return;
    this.#padding -= end - begin;
    if (stream.contentLeft !== undefined) {
      stream.contentLeft -= end - begin;
      if (stream.contentLeft < 0) {
        this.reset(stream, 'PROTOCOL_ERROR', 'more than content-length says');
        return;
      }
    }
    stream.handler.data(bytes, begin, end);
  }

  dataEnded(): void {
    const stream = this.#receiver;
    this.#receiver = undefined;
    if (stream === undefined || stream.closed) return;
    if (this.#padding > 0) this.consumed(stream, this.#padding);
    if ((this.#head.flags & flag.END_STREAM) !== 0) this.#remoteEnds(stream);
  }

  payload(payload: Uint8Array): void {
    switch (this.#head.type) {
      case frameType.CONTINUATION:
        this.#ration('CONTINUATION frames');
        this.#headerFrame(payload);
        break;
      case frameType.HEADERS:
        this.#headerFrame(payload);
        break;
      case frameType.PRIORITY:
        this.#ration('PRIORITY frames');
        checkDependency(payload, this.#head.streamId);
        break;
      case frameType.RST_STREAM:
        this.#resetByPeer(payload);
        break;
      case frameType.SETTINGS:
        if (this.#greeted) this.#ration('SETTINGS frames');
        this.#settings(payload);
        break;
      case frameType.PING:
        this.#ping(payload);
        break;
      case frameType.GOAWAY:
        this.#goAway(payload);
        break;
      case frameType.WINDOW_UPDATE:
        this.#windowUpdate(payload);
        break;
    }
  }

  #headerFrame(payload: Uint8Array): void {
    const list = this.#headers.read(this.#head, payload);
    if (list === undefined) return;
    const { streamId, headers, last } = list;
    const isNew = this.#server && streamId > this.#lastStreamId;
    const stream = isNew ? undefined : this.#known(streamId, 'HEADERS');
    if (stream !== undefined) {
      this.#moreHeaders(stream, headers, last);
      return;
    }
    if (isNew) {
      this.#request(streamId, headers, last);
      return;
    }
    if (!this.#resetHere.has(streamId))
      throw new Http2Error('STREAM_CLOSED', `HEADERS on stream ${streamId}, which is closed`);
  }

  #request(streamId: number, headers: readonly Header[], last: boolean): void {
    if (streamId % 2 === 0) throw protocolError(`a client's stream with the even number ${streamId}`);
    this.#lastStreamId = streamId;
    if (this.#leaving) {
      this.#refuse(streamId, 'REFUSED_STREAM', 'streams that come after GOAWAY');
      return;
    }
    if (this.#streams.size >= limits.http2StreamsMax) {
      this.#refuse(streamId, 'REFUSED_STREAM', `more than ${limits.http2StreamsMax} streams at once`);
      return;
    }
    const malformed = checkRequest(headers);
    if (malformed !== undefined) {
      this.#refuse(streamId, 'PROTOCOL_ERROR', malformed);
      return;
    }
    const stream = this.#open(streamId, undefined);
    stream.opened = true;
    if (!this.#takeContentLength(stream, headers)) return;
    stream.handler = this.#options.accept!(stream, headers);
    if (last && !stream.closed) this.#remoteEnds(stream);
  }

  #moreHeaders(stream: Http2Stream, headers: readonly Header[], last: boolean): void {
    if (stream.remoteEnded) {
      this.reset(stream, 'STREAM_CLOSED', 'HEADERS after the end');
      return;
    }
    const isTrailers = stream.opened;
    const malformed = isTrailers ? checkTrailers(headers) : checkResponse(headers);
    if (malformed !== undefined) {
      this.reset(stream, 'PROTOCOL_ERROR', malformed);
      return;
    }
    if (isTrailers && !last) {
      this.reset(stream, 'PROTOCOL_ERROR', 'trailers that do not end the stream');
      return;
    }
    // 1xx: the response is still to come.
    if (!isTrailers && headers[0][1].startsWith('1')) return;
    if (!isTrailers && !this.#takeContentLength(stream, headers)) return;
    stream.opened = true;
    stream.handler.headers(headers);
    if (last && !stream.closed) this.#remoteEnds(stream);
  }

  #takeContentLength(stream: Http2Stream, headers: readonly Header[]): boolean {
    stream.contentLeft = contentLength(headers);
    if (!Number.isNaN(stream.contentLeft)) return true;
    this.reset(stream, 'PROTOCOL_ERROR', 'content-length is no number');
    return false;
  }

  #remoteEnds(stream: Http2Stream): void {
    if ((stream.contentLeft ?? 0) > 0) {
      this.reset(stream, 'PROTOCOL_ERROR', 'less than content-length says');
      return;
    }
    stream.remoteEnded = true;
    stream.handler.ended();
    this.#closeStreamIfDone(stream);
  }

  #resetByPeer(payload: Uint8Array): void {
    const { streamId } = this.#head;
    const stream = this.#known(streamId, 'RST_STREAM');
    if (stream === undefined) return;
    // Streams that are begun and reset cost the most: CVE-2023-44487.
    this.#ration('streams are reset');
    const code = errorName(readUint32(payload, 0));
    // A server that has answered in full may say that it wants no more of the request.
    const inOrder = code === 'NO_ERROR' && stream.remoteEnded;
    this.#closeStream(stream, inOrder ? undefined : new Http2Error(code, 'reset by the peer', streamId));
  }

  #settings(payload: Uint8Array): void {
    if ((this.#head.flags & flag.ACK) !== 0) {
      if (payload.length > 0) throw new Http2Error('FRAME_SIZE_ERROR', 'an acknowledgement with settings');
      return;
    }
    if (payload.length % 6 !== 0)
      throw new Http2Error('FRAME_SIZE_ERROR', `SETTINGS of ${payload.length} bytes`);
    if (payload.length > 6 * limits.http2SettingsMax)
      throw new Http2Error('ENHANCE_YOUR_CALM', 'too many settings');
    for (let at = 0; at < payload.length; at += 6)
      this.#setting((payload[at] << 8) | payload[at + 1], readUint32(payload, at + 2));
    this.#greeted = true;
    this.#reply(settingsAck());
    this.#options.onRoom?.();
  }

  #setting(id: number, value: number): void {
    if (id === setting.ENABLE_PUSH && value > 1) throw protocolError(`ENABLE_PUSH ${value}`);
    if (id === setting.MAX_CONCURRENT_STREAMS) this.#peer.streamsMax = value;
    if (id === setting.MAX_FRAME_SIZE) {
      if (value < defaults.frameBytesMax || value > 0xffffff) throw protocolError(`MAX_FRAME_SIZE ${value}`);
      this.#sender.frameBytesMax = value;
    }
    if (id === setting.INITIAL_WINDOW_SIZE) {
      if (value > windowMax) throw new Http2Error('FLOW_CONTROL_ERROR', `INITIAL_WINDOW_SIZE ${value}`);
      for (const stream of this.#streams.values()) {
        stream.sendWindow += value - this.#peer.windowBytes;
        if (stream.sendWindow > windowMax)
          throw new Http2Error('FLOW_CONTROL_ERROR', 'a window above 2^31 - 1');
        this.#sender.wake(stream);
      }
      this.#peer.windowBytes = value;
    }
  }

  #ping(payload: Uint8Array): void {
    if ((this.#head.flags & flag.ACK) === 0) this.#reply(pingFrame(flag.ACK, payload));
    else this.#options.onPong?.();
  }

  #goAway(payload: Uint8Array): void {
    if (payload.length < 8) throw new Http2Error('FRAME_SIZE_ERROR', 'GOAWAY that is too short');
    this.#leaving = true;
    if (this.#server) {
      this.#closeIfDone();
      return;
    }
    const last = readUint32(payload, 0) & windowMax;
    const code = errorName(readUint32(payload, 4));
    const reason = Buffer.from(payload.subarray(8, 8 + 200)).toString('latin1');
    for (const stream of [...this.#streams.values()]) {
      if (code !== 'NO_ERROR') this.#closeStream(stream, new Http2Error(code, reason, stream.id));
      else if (stream.id > last)
        this.#closeStream(stream, new Http2Error('REFUSED_STREAM', 'the server is leaving', stream.id));
    }
    this.#closeIfDone();
  }

  #windowUpdate(payload: Uint8Array): void {
    const { streamId } = this.#head;
    const increment = readUint32(payload, 0) & windowMax;
    if (streamId === 0) {
      if (increment === 0) throw protocolError('a window grows by 0');
      this.#sender.grow(increment);
      return;
    }
    const stream = this.#known(streamId, 'WINDOW_UPDATE');
    if (stream === undefined) return;
    stream.sendWindow += increment;
    if (increment === 0) {
      this.reset(stream, 'PROTOCOL_ERROR', 'a window grows by 0');
      return;
    }
    if (stream.sendWindow > windowMax) {
      this.reset(stream, 'FLOW_CONTROL_ERROR', 'a window above 2^31 - 1');
      return;
    }
    this.#sender.wake(stream);
  }

  /** The stream of a frame; undefined if it is closed. Throws for one that was never begun. */
  #known(streamId: number, what: string): Http2Stream | undefined {
    const stream = this.#streams.get(streamId);
    const begun = streamId <= this.#lastStreamId && streamId % 2 === 1;
    if (stream === undefined && !begun)
      throw protocolError(`${what} on stream ${streamId}, which nobody began`);
    return stream;
  }

  /** An answer that the peer can ask for at will. It must read them. */
  #reply(frame: Buffer): void {
    if (
      this.#wire.backlogBytes >
      limits.http2BacklogBytes + limits.http2FrameBytesMax + limits.http2UnreadRepliesBytesMax
    )
      throw new Http2Error('ENHANCE_YOUR_CALM', 'answers are asked for and not read');
    this.#wire.write([frame]);
  }

  #ration(what: string): void {
    if (!this.#allowance.take(this.#nowMs)) throw new Http2Error('ENHANCE_YOUR_CALM', `too many ${what}`);
  }

  // What the streams want

  sendHeaders(stream: Http2Stream, headers: readonly Header[], last: boolean): void {
    if (!stream.closed && !this.#closed) this.#sender.sendHeaders(stream, headers, last);
  }

  wake(stream: Http2Stream): void {
    if (stream.closed) return;
    this.#sender.wake(stream);
    this.pump();
  }

  consumed(stream: Http2Stream, bytes: number): void {
    if (stream.closed) return;
    stream.unconsumed -= bytes;
    this.#acknowledge(bytes);
    stream.unacknowledged += bytes;
    if (stream.unacknowledged < limits.windowBytes / 2 || stream.remoteEnded) return;
    this.#wire.write([windowUpdate(stream.id, stream.unacknowledged)]);
    stream.receiveWindow += stream.unacknowledged;
    stream.unacknowledged = 0;
  }

  reset(stream: Http2Stream, code: Http2ErrorName, message: string): void {
    if (stream.closed) return;
    this.#refuse(stream.id, code, message);
    const inOrder = code === 'NO_ERROR';
    this.#closeStream(stream, inOrder ? undefined : new Http2Error(code, message, stream.id));
  }

  /** Gives the window of the connection back. */
  #acknowledge(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < limits.connectionWindowBytes / 2) return;
    this.#wire.write([windowUpdate(0, this.#unacknowledged)]);
    this.#receiveWindow += this.#unacknowledged;
    this.#unacknowledged = 0;
  }

  #refuse(streamId: number, code: Http2ErrorName, message: string): void {
    // A peer can provoke this as often as it can reset: CVE-2025-8671.
    if (this.#reading && code !== 'NO_ERROR')
      this.#ration(`streams are refused, the last one because of ${message}`);
    this.#resetHere.add(streamId);
    if (this.#resetHere.size > limits.http2StreamsMax)
      this.#resetHere.delete(this.#resetHere.values().next().value!);
    this.#wire.write([rstStream(streamId, code)]);
  }

  // How streams and the connection end

  #open(id: number, handler: StreamHandler | undefined): Http2Stream {
    const stream = new Http2Stream(id, this, this.#peer.windowBytes, limits.windowBytes);
    if (handler !== undefined) stream.handler = handler;
    this.#streams.set(id, stream);
    return stream;
  }

  #localEnds(stream: Http2Stream): void {
    stream.localEnded = true;
    // Answered before the request was read to its end: the client need not go on.
    if (this.#server && !stream.remoteEnded) this.reset(stream, 'NO_ERROR', 'the answer is there');
    else this.#closeStreamIfDone(stream);
  }

  #closeStreamIfDone(stream: Http2Stream): void {
    if (stream.localEnded && stream.remoteEnded) this.#closeStream(stream, undefined);
  }

  #closeStream(stream: Http2Stream, error: Http2Error | undefined): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#streams.delete(stream.id);
    this.#acknowledge(stream.unconsumed);
    this.#sender.drop(stream);
    stream.handler?.closed(error);
    this.#options.onRoom?.();
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#leaving && this.#streams.size === 0) this.#close(undefined);
  }

  #close(error: Http2Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leaving = true;
    for (const stream of [...this.#streams.values()])
      this.#closeStream(stream, error ?? new Http2Error('CANCEL', 'the connection is closed', stream.id));
    this.#wire.end();
    this.#options.onClosed?.(error);
  }
}
