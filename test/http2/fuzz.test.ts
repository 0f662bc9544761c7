import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FrameReader, type FrameSink } from '@tributary/core/http2/FrameReader.ts';
import {
  defaults,
  type FrameHead,
  flag,
  frameHead,
  frameType,
  preface,
  readUint32,
  setting,
  settingsFrame,
} from '@tributary/core/http2/frames.ts';
import { Http2Connection } from '@tributary/core/http2/Http2Connection.ts';
import { Http2Error } from '@tributary/core/http2/Http2Error.ts';
import type { Http2Stream, StreamHandler } from '@tributary/core/http2/Http2Stream.ts';
import { encodeHeaders } from '@tributary/core/http2/hpack/encodeHeaders.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { createUniforms, type RandomSource } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';

/*
 * Frames as no peer would send them, mostly almost right, to either side of a connection, while the application does this and that. Whatever comes: nothing is
 * thrown, every stream is closed once, every buffer is given back, and what is sent are frames that fit the peer's windows. (Above 400 lines, because the frames, the
 * application and the peer that keeps account of both are of one random run.)
 *
 *   FUZZ_FRAMES=1000000 pnpm vitest run test/http2/fuzz.test.ts
 */

const frames = Number(process.env.FUZZ_FRAMES ?? 40_000);
const integer = (uniform: RandomSource, below: number) => Math.floor(uniform() * below);
const pick = <T>(uniform: RandomSource, from: readonly T[]): T => from[integer(uniform, from.length)];

const request: Header[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a'],
];
const blocks: readonly Header[][] = [
  request,
  request,
  request,
  [...request, ['content-length', '20']],
  [[':status', '200']],
  [
    [':status', '200'],
    ['content-type', 'application/grpc'],
  ],
  [[':status', '100']],
  [['grpc-status', '0']],
  [
    ['grpc-status', '0'],
    ['UPPER', 'x'],
  ],
  [['connection', 'close']],
  [],
];

function headerBlock(uniform: RandomSource): Buffer {
  if (uniform() < 0.001) return randomBytes(uniform, 30);
  const block = encodeHeaders(pick(uniform, blocks));
  // With indexing, so that the table fills; and now and then a new size of it.
  if (uniform() < 0.2)
    return Buffer.concat([block, Buffer.from([0x40, 1, 0x61, 1, integer(uniform, 94) + 33])]);
  return uniform() < 0.1 ? Buffer.concat([Buffer.from([0x20 | integer(uniform, 31)]), block]) : block;
}

function randomBytes(uniform: RandomSource, most: number): Buffer {
  return Buffer.from(Array.from({ length: integer(uniform, most) }, () => integer(uniform, 256)));
}

/** Makes frames that are nearly always possible ones: what ends a connection is seldom, or no connection would come to anything. */
class Generator {
  readonly #uniform: RandomSource;
  /** The next stream to begin, of a client's side. */
  #next = 1;

  constructor(uniform: RandomSource) {
    this.#uniform = uniform;
  }

  /** `begun` streams are there to be meant; undefined: it begins them itself. */
  frame(begun?: number): Buffer {
    const uniform = this.#uniform;
    const wild = uniform() < 0.001;
    const last = begun === undefined ? this.#next - 2 : 2 * begun - 1;
    const known = Math.max(1, last - 2 * integer(uniform, 30));
    const id = wild ? integer(uniform, 2 ** 31) : known;
    const canBegin = begun === undefined && (last < 1 || uniform() < 0.5);
    if (canBegin) this.#next += 2;
    if (last < 1 && !canBegin) return made(frameType.PING, 0, 0, Buffer.alloc(8));
    const headersId = canBegin ? this.#next - 2 : id;
    const kinds: (() => Buffer)[] = [
      () =>
        made(
          frameType.DATA,
          pick(uniform, [0, 0, 0, 1]),
          id,
          Buffer.alloc(integer(uniform, pick(uniform, [1, 30, 3000, 300_000]))),
        ),
      () =>
        made(
          frameType.DATA,
          8 | pick(uniform, [0, 1]),
          id,
          Buffer.concat([Buffer.from([integer(uniform, 30)]), Buffer.alloc(30 + integer(uniform, 100))]),
        ),
      () => made(frameType.HEADERS, pick(uniform, [4, 5]), headersId, headerBlock(uniform)),
      () => made(frameType.HEADERS, 5, headersId, headerBlock(uniform)),
      () =>
        made(
          frameType.HEADERS,
          pick(uniform, [4, 5]) | 40,
          headersId,
          Buffer.concat([
            Buffer.from([3, 0, 0, 0, 2 * integer(uniform, 9), 1]),
            headerBlock(uniform),
            Buffer.alloc(3),
          ]),
        ),
      () =>
        Buffer.concat([
          made(frameType.HEADERS, pick(uniform, [0, 1]), headersId, encodeHeaders(request).subarray(0, 2)),
          made(frameType.CONTINUATION, wild ? 0 : 4, headersId, encodeHeaders(request).subarray(2)),
        ]),
      () => made(frameType.RST_STREAM, 0, id, word(integer(uniform, 16))),
      () => made(frameType.SETTINGS, 0, 0, uniform() < 0.2 ? Buffer.alloc(0) : settingsPayload(uniform)),
      () => made(frameType.PING, pick(uniform, [0, 1]), 0, Buffer.alloc(8)),
      () =>
        made(
          frameType.WINDOW_UPDATE,
          0,
          id,
          word(pick(uniform, [1, 1000, 100_000, 1 << 20, wild ? 2 ** 31 - 1 : 7])),
        ),
      () => made(frameType.WINDOW_UPDATE, 0, 0, word(100_000)),
      () => made(12, 0, 0, Buffer.alloc(8 + integer(uniform, 9))),
    ];
    const disasters: (() => Buffer)[] = [
      () => made(frameType.PRIORITY, 0, id, Buffer.concat([word(integer(uniform, 80)), Buffer.from([1])])),
      () => made(frameType.CONTINUATION, pick(uniform, [0, 4]), id, headerBlock(uniform)),
      () => made(frameType.GOAWAY, 0, 0, Buffer.alloc(8 + integer(uniform, 9))),
      () => made(frameType.SETTINGS, 1, 0, Buffer.alloc(0)),
      () => made(integer(uniform, 256), integer(uniform, 256), id, randomBytes(uniform, 40)),
      () => randomBytes(uniform, 40),
    ];
    return pick(uniform, wild ? disasters : kinds)();
  }
}

function made(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  return Buffer.concat([frameHead(payload.length, type, flags, streamId), payload]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function settingsPayload(uniform: RandomSource): Buffer {
  const id = pick(uniform, [
    setting.INITIAL_WINDOW_SIZE,
    setting.MAX_FRAME_SIZE,
    setting.MAX_CONCURRENT_STREAMS,
    9,
  ]);
  const value =
    {
      [setting.INITIAL_WINDOW_SIZE]: integer(uniform, 200_000),
      [setting.MAX_FRAME_SIZE]: 16_384 + integer(uniform, 100_000),
    }[id] ?? 100;
  return settingsFrame([[id, value]]).subarray(9);
}

/** Reads what a connection sends, as a peer that keeps count. */
class Peer implements FrameSink {
  window: number = defaults.windowBytes;
  initial: number = defaults.windowBytes;
  frameMax: number = defaults.frameBytesMax;
  readonly sent = new Map<number, number>();
  readonly granted = new Map<number, number>();
  #head!: FrameHead;

  frame(head: FrameHead): void {
    this.#head = head;
    if (head.type !== frameType.DATA) return;
    const { length, streamId } = head;
    this.window -= length;
    this.sent.set(streamId, (this.sent.get(streamId) ?? 0) + length);
    expect(length).toBeLessThanOrEqual(this.frameMax);
    // An empty one needs no window, and a window may have become smaller after more was sent.
    if (length === 0) return;
    expect(this.window).toBeGreaterThanOrEqual(0);
    expect(this.sent.get(streamId)!).toBeLessThanOrEqual(this.initial + (this.granted.get(streamId) ?? 0));
  }
  data(): void {}
  dataEnded(): void {}
  payload(payload: Uint8Array): void {
    if (this.#head.type === frameType.WINDOW_UPDATE) expect(readUint32(payload, 0)).toBeGreaterThan(0);
  }

  /** Reads what is given to the connection, just before: what it says about windows and frames. */
  given(role: 'client' | 'server'): FrameReader {
    let head: FrameHead;
    return new FrameReader(
      {
        frame: (found) => {
          head = found;
        },
        data: () => {},
        dataEnded: () => {},
        payload: (payload) => {
          if (head.type === frameType.WINDOW_UPDATE && payload.length === 4) {
            const increment = readUint32(payload, 0) & 0x7fffffff;
            if (head.streamId === 0) this.window += increment;
            else this.granted.set(head.streamId, (this.granted.get(head.streamId) ?? 0) + increment);
          }
          if (head.type !== frameType.SETTINGS || (head.flags & flag.ACK) !== 0 || payload.length < 6) return;
          const value = readUint32(payload, 2);
          if (payload[1] === setting.INITIAL_WINDOW_SIZE) this.initial = value;
          if (payload[1] === setting.MAX_FRAME_SIZE) this.frameMax = value;
        },
      },
      role,
    );
  }
}

class Session {
  readonly connection: Http2Connection;
  readonly peer = new Peer();
  readonly log: string[] = [];
  readonly bytes: Buffer[] = [];
  lent = 0;
  opened = 0;
  closed = 0;
  ended = false;
  readonly #uniform: RandomSource;
  readonly #given: FrameReader;
  /** The wire is slow now and then. */
  readonly #untaken: (() => void)[] = [];
  #backlogBytes = 0;

  constructor(role: 'client' | 'server', uniform: RandomSource) {
    this.#uniform = uniform;
    const session = this;
    this.#given = this.peer.given(role);
    const reader = new FrameReader(this.peer, role === 'client' ? 'server' : 'client');
    this.connection = new Http2Connection({
      role,
      wire: {
        get backlogBytes() {
          return session.#backlogBytes;
        },
        write(parts, taken) {
          for (const part of parts) {
            session.bytes.push(Buffer.from(part));
            reader.read(part, 0, part.length);
            session.#backlogBytes += part.length;
          }
          session.#untaken.push(() => taken?.());
        },
        end: () => (session.ended = true),
      },
      accept: (stream) => this.#handler(() => stream),
    });
    this.drain();
  }

  drain(): void {
    this.#backlogBytes = 0;
    for (const taken of this.#untaken.splice(0)) taken();
    this.connection.pump();
  }

  request(): void {
    if (!this.connection.hasRoom) return;
    const stream: Http2Stream = this.connection.request(
      request,
      this.#handler(() => stream),
      this.#uniform() < 0.3,
    );
  }

  give(bytes: Buffer): void {
    try {
      this.#given.read(bytes, 0, bytes.length);
    } catch (error) {
      // The connection will see it, too.
      expect(error).toBeInstanceOf(Http2Error);
    }
    this.connection.receive(bytes, 0, bytes.length, this.opened);
    if (this.#uniform() < 0.5) this.drain();
    expect(this.connection.streams).toBeLessThanOrEqual(limits.http2StreamsMax);
  }

  finish(): void {
    this.connection.lost('over');
    this.drain();
    expect(this.closed).toBe(this.opened);
    expect(this.lent).toBe(0);
    expect(this.ended).toBe(true);
  }

  #handler(stream: () => Http2Stream): StreamHandler {
    const uniform = this.#uniform;
    let isClosed = false;
    this.opened++;
    const act = () => {
      const what = uniform();
      if (what < 0.2) stream().reset(pick(uniform, ['NO_ERROR', 'CANCEL']), 'because');
      else if (what < 0.4 && !stream().localEnded && stream().trailers === undefined) {
        this.lent++;
        stream().send([Buffer.alloc(integer(uniform, 90_000)), Buffer.alloc(3)], {
          taken: () => this.lent--,
        });
      } else if (what < 0.6 && !stream().localEnded) stream().end([['grpc-status', '0']]);
    };
    return {
      headers: (headers) => void this.log.push(`headers ${headers}`),
      data: (_, begin, end) => {
        expect(isClosed).toBe(false);
        stream().consume(end - begin);
        if (uniform() < 0.1) act();
      },
      ended: () => {
        this.log.push(`${stream().id} ended`);
        act();
      },
      closed: (error) => {
        expect(isClosed).toBe(false);
        isClosed = true;
        this.closed++;
        this.log.push(`closed: ${error?.code}`);
      },
    };
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test.each(['server', 'client'] as const)(
  'whatever is sent to a %s, it keeps its promises',
  (role) => {
    const uniform = createUniforms(role === 'server' ? 11 : 12);
    let sessions = 0;
    let longest = 0;
    let heapBytes = 0;
    for (let sent = 0; sent < frames; ) {
      const session = new Session(role, uniform);
      session.give(Buffer.concat([role === 'server' ? preface : Buffer.alloc(0), settingsFrame([])]));
      const generator = new Generator(uniform);
      let here = 0;
      for (; here < 4000 && !session.connection.closed && sent < frames; here++, sent++) {
        if (role === 'client' && uniform() < 0.2) session.request();
        const frame = generator.frame(role === 'client' ? session.opened : undefined);
        if (uniform() < 0.7) session.give(frame);
        else {
          const at = integer(uniform, frame.length);
          session.give(frame.subarray(0, at));
          session.give(frame.subarray(at));
        }
      }
      session.finish();
      sessions++;
      longest = Math.max(longest, here);
      if (heapBytes === 0 && sent > frames / 4) {
        collectGarbage();
        heapBytes = process.memoryUsage().heapUsed;
      }
    }
    collectGarbage();
    expect(process.memoryUsage().heapUsed - heapBytes).toBeLessThan(8 << 20);
    // Else it would have tested greetings.
    expect(longest).toBeGreaterThan(100);
    expect(sessions).toBeGreaterThan(10);
  },
  3_600_000,
);

test('how the bytes are cut makes no difference', () => {
  for (let seed = 0; seed < 60; seed++) {
    const generator = new Generator(createUniforms(seed, 1));
    const random = Array.from({ length: 40 }, () => generator.frame());
    const bytes = Buffer.concat([preface, settingsFrame([]), ...random]);
    const outcomes = [bytes.length, 1, 7, 1000].map((step) => {
      // The same application for all: it only answers.
      const events: string[] = [];
      const written: Buffer[] = [];
      const wire = {
        backlogBytes: 0,
        write(parts: readonly Uint8Array[], taken?: () => void) {
          written.push(...parts.map((part) => Buffer.from(part)));
          taken?.();
        },
        end: () => {},
      };
      const connection = new Http2Connection({
        role: 'server',
        wire,
        accept: (stream) => {
          let received = 0;
          return {
            headers: () => {},
            data: (_, begin, end) => (received += end - begin),
            ended: () => {
              events.push(`${stream.id} ended after ${received}`);
              stream.sendHeaders(request.slice(0, 1), true);
            },
            closed: (error) => events.push(`${stream.id} closed ${error?.code}`),
          };
        },
      });
      for (let at = 0; at < bytes.length; at += step)
        connection.receive(bytes, at, Math.min(bytes.length, at + step), 0);
      return { events, written: Buffer.concat(written).toString('hex') };
    });
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
  }
});
