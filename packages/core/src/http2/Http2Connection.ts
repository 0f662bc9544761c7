import { invariant } from '../errors/invariant.ts';
import { limits } from '../limits/limits.ts';
import { Allowance } from './Allowance.ts';
import { checkRequest, checkResponse, checkTrailers, contentLength } from './checkHeaders.ts';
import { FrameReader, type FrameSink } from './FrameReader.ts';
import {
  defaults,
  type FrameHead,
  flag,
  frameHead,
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
import { errorName, Http2Error, type Http2ErrorName } from './Http2Error.ts';
import { Http2Stream, type Outgoing, type StreamCarrier, type StreamHandler } from './Http2Stream.ts';
import { encodeHeaders } from './hpack/encodeHeaders.ts';
import type { Header } from './hpack/Header.ts';
import { HpackDecoder } from './hpack/HpackDecoder.ts';

/** The wire under a connection. */
export interface Wire {
  /** Takes bytes to send, in order. `taken` is called once: when nobody reads the parts any more, because they left or the wire is closed. */
  write(parts: readonly Uint8Array[], taken?: () => void): void;
  /** Given to it and not taken yet. */
  readonly backlogBytes: number;
  /** No more comes: it closes when all is written. */
  end(): void;
}

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

/** Frames that carry no header block, with their only length, and whether they are of the whole connection (0) or of a stream (1). */
const shapes = new Map<number, { bytes?: number; of?: 0 | 1 }>([
  [frameType.DATA, { of: 1 }],
  [frameType.HEADERS, { of: 1 }],
  [frameType.PRIORITY, { bytes: 5, of: 1 }],
  [frameType.RST_STREAM, { bytes: 4, of: 1 }],
  [frameType.SETTINGS, { of: 0 }],
  [frameType.PING, { bytes: 8, of: 0 }],
  [frameType.GOAWAY, { of: 0 }],
  [frameType.WINDOW_UPDATE, { bytes: 4 }],
  [frameType.CONTINUATION, { of: 1 }],
]);

const pingBytes = Buffer.from('tributar', 'latin1');
/** The header table of HPACK that we offer: the RFC's default. */
const headerTableBytes = 4096;

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
  readonly #hpack = new HpackDecoder(headerTableBytes, limits.http2HeaderListBytesMax);
  readonly #streams = new Map<number, Http2Stream>();
  /** Those with something to send, in order of their turns. */
  readonly #sending = new Set<Http2Stream>();
  /** Streams that we reset, the latest ones: the peer may not know yet. */
  readonly #resetHere = new Set<number>();
  readonly #allowance = new Allowance(limits.http2IdleFramesBurst, limits.http2IdleFramesPerSecond);
  /** The highest stream of the peer (of a server) or of ours (of a client). */
  #lastStreamId: number;
  #sendWindow: number = defaults.windowBytes;
  #receiveWindow: number = limits.connectionWindowBytes;
  #unacknowledged = 0;
  #peer = {
    windowBytes: defaults.windowBytes as number,
    frameBytesMax: defaults.frameBytesMax as number,
    streamsMax: 2 ** 31,
  };
  #greeted = false;
  #nowMs = 0;
  #reading = false;
  /** The frame under way. */
  #head!: FrameHead;
  /** Of a DATA frame under way: who gets it; undefined if nobody does. */
  #receiver: Http2Stream | undefined;
  /** Of its payload, what was not given to the receiver: in the end, the padding. */
  #padding = 0;
  #headerBlock: { streamId: number; flags: number; parts: Buffer[]; bytes: number } | undefined;
  /** No stream is begun any more. */
  #leaving = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#wire = options.wire;
    this.#server = options.role === 'server';
    this.#reader = new FrameReader(this, options.role);
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
    if (this.#reading) return;
    while (this.#sending.size > 0 && !this.#closed && this.#wire.backlogBytes < limits.http2BacklogBytes) {
      let sent = false;
      for (const stream of this.#sending) {
        this.#sending.delete(stream);
        if (!this.#sendFrame(stream)) continue;
        sent = true;
        if (this.#hasMore(stream)) this.#sending.add(stream);
        break;
      }
      if (!sent) return;
    }
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
    const { type, length, streamId } = head;
    if (length > limits.http2FrameBytesMax)
      throw new Http2Error('FRAME_SIZE_ERROR', `a frame of ${length} bytes`);
    if (this.#headerBlock !== undefined) {
      if (type !== frameType.CONTINUATION || streamId !== this.#headerBlock.streamId)
        throw protocolError('a header block is interrupted');
    } else if (type === frameType.CONTINUATION) throw protocolError('CONTINUATION of nothing');
    if (!this.#greeted && (type !== frameType.SETTINGS || (head.flags & flag.ACK) !== 0))
      throw protocolError('the first frame is not SETTINGS');
    const shape = shapes.get(type);
    if (shape?.of !== undefined && (streamId === 0) !== (shape.of === 0))
      throw protocolError(`a frame of type ${type} on stream ${streamId}`);
    if (shape?.bytes !== undefined && shape.bytes !== length)
      throw new Http2Error('FRAME_SIZE_ERROR', `a frame of type ${type} has ${length} bytes`);
    if (type === frameType.PUSH_PROMISE) throw protocolError('PUSH_PROMISE, which we do not allow');
    if (type === frameType.DATA) this.#dataBegins(head);
    else if (length > limits.http2HeaderBlockBytesMax)
      throw new Http2Error('ENHANCE_YOUR_CALM', `a frame of type ${type} has ${length} bytes`);
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
      case frameType.HEADERS:
        this.#headersBegin(payload);
        break;
      case frameType.CONTINUATION:
        this.#ration('CONTINUATION frames');
        this.#headersGoOn(payload, this.#head.flags);
        break;
      case frameType.PRIORITY:
        this.#ration('PRIORITY frames');
        this.#checkDependency(payload);
        break;
      case frameType.RST_STREAM:
        this.#resetByPeer(payload);
        break;
      case frameType.SETTINGS:
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

  #headersBegin(payload: Uint8Array): void {
    const { flags, streamId } = this.#head;
    let begin = 0;
    let end = payload.length;
    if ((flags & flag.PADDED) !== 0) {
      begin = 1;
      end -= payload[0];
    }
    if ((flags & flag.PRIORITY) !== 0) {
      this.#checkDependency(payload.subarray(begin, begin + 4));
      begin += 5;
    }
    if (payload.length < begin) throw new Http2Error('FRAME_SIZE_ERROR', 'HEADERS that are too short');
    if (end < begin) throw protocolError('more padding than payload');
    this.#headerBlock = { streamId, flags, parts: [], bytes: 0 };
    this.#headersGoOn(payload.subarray(begin, end), flags);
  }

  #headersGoOn(fragment: Uint8Array, flags: number): void {
    const block = this.#headerBlock!;
    block.bytes += fragment.length;
    if (block.bytes > limits.http2HeaderBlockBytesMax)
      throw new Http2Error(
        'ENHANCE_YOUR_CALM',
        `a header block of more than ${limits.http2HeaderBlockBytesMax} bytes`,
      );
    block.parts.push(Buffer.from(fragment));
    if ((flags & flag.END_HEADERS) === 0) return;
    this.#headerBlock = undefined;
    const headers = this.#hpack.decode(Buffer.concat(block.parts));
    this.#headers(block.streamId, headers, (block.flags & flag.END_STREAM) !== 0);
  }

  #headers(streamId: number, headers: readonly Header[], last: boolean): void {
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

  #checkDependency(payload: Uint8Array): void {
    const { streamId } = this.#head;
    if (payload.length >= 4 && (readUint32(payload, 0) & windowMax) === streamId)
      throw protocolError(`stream ${streamId} depends on itself`);
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
      this.#peer.frameBytesMax = value;
    }
    if (id === setting.INITIAL_WINDOW_SIZE) {
      if (value > windowMax) throw new Http2Error('FLOW_CONTROL_ERROR', `INITIAL_WINDOW_SIZE ${value}`);
      for (const stream of this.#streams.values()) {
        stream.sendWindow += value - this.#peer.windowBytes;
        if (stream.sendWindow > windowMax)
          throw new Http2Error('FLOW_CONTROL_ERROR', 'a window above 2^31 - 1');
        if (this.#hasMore(stream)) this.#sending.add(stream);
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
      this.#sendWindow += increment;
      if (this.#sendWindow > windowMax) throw new Http2Error('FLOW_CONTROL_ERROR', 'a window above 2^31 - 1');
      for (const stream of this.#streams.values()) if (this.#hasMore(stream)) this.#sending.add(stream);
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
    if (this.#hasMore(stream)) this.#sending.add(stream);
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
    if (stream.closed || this.#closed) return;
    const block = encodeHeaders(headers);
    const max = this.#peer.frameBytesMax;
    for (let at = 0; at === 0 || at < block.length; at += max) {
      const part = block.subarray(at, at + max);
      const type = at === 0 ? frameType.HEADERS : frameType.CONTINUATION;
      const flags =
        (at === 0 && last ? flag.END_STREAM : 0) | (at + max >= block.length ? flag.END_HEADERS : 0);
      this.#wire.write([frameHead(part.length, type, flags, stream.id), part]);
    }
    if (last) this.#localEnds(stream);
  }

  wake(stream: Http2Stream): void {
    if (stream.closed) return;
    this.#sending.add(stream);
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

  #hasMore({ queue, trailers, localEnded }: Http2Stream): boolean {
    return queue.length > 0 || (trailers !== undefined && !localEnded);
  }

  /** Sends one frame of a stream; false if there is no room or nothing to send. */
  #sendFrame(stream: Http2Stream): boolean {
    const next = stream.queue[0];
    if (next === undefined) {
      if (stream.trailers === undefined || stream.localEnded) return false;
      this.sendHeaders(stream, stream.trailers, true);
      return true;
    }
    const room = Math.min(this.#sendWindow, stream.sendWindow, this.#peer.frameBytesMax);
    const length = Math.min(next.bytesLeft, room);
    if (length <= 0 && next.bytesLeft > 0) return false;
    const parts = cut(next, length);
    this.#sendWindow -= length;
    stream.sendWindow -= length;
    const done = next.bytesLeft === 0;
    if (done) stream.queue.shift();
    const last = done && next.last;
    next.underWay++;
    this.#wire.write(
      [frameHead(length, frameType.DATA, last ? flag.END_STREAM : 0, stream.id), ...parts],
      () => {
        next.underWay--;
        if (next.underWay === 0 && next.bytesLeft === 0) next.taken?.();
      },
    );
    if (last) this.#localEnds(stream);
    return true;
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
    this.#sending.delete(stream);
    this.#acknowledge(stream.unconsumed);
    for (const dropped of stream.queue.splice(0)) {
      dropped.bytesLeft = 0;
      if (dropped.underWay === 0) dropped.taken?.();
    }
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

function protocolError(message: string): Http2Error {
  return new Http2Error('PROTOCOL_ERROR', message);
}
