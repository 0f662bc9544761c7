import {
  flag,
  frameHead,
  frameType,
  goAway,
  pingFrame,
  preface,
  readFrameHead,
  rstStream,
  setting,
  settingsFrame,
  windowUpdate,
} from '@tributary/core/http2/frames.ts';
import { Http2Connection } from '@tributary/core/http2/Http2Connection.ts';
import { errorName } from '@tributary/core/http2/Http2Error.ts';
import type { Http2Stream } from '@tributary/core/http2/Http2Stream.ts';
import { encodeHeaders } from '@tributary/core/http2/hpack/encodeHeaders.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { expect, test } from 'vitest';

/* What a peer must not do, frame by frame, and what it is told. h2spec covers the RFC's own list (scripts/h2spec.ts); here are our limits and what it leaves out. */

const request: Header[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a'],
];

function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([frameHead(payload.length, type, flags, streamId), payload]);
}

const headers = (id: number, flags: number, list = request) =>
  frame(frameType.HEADERS, flags | flag.END_HEADERS, id, encodeHeaders(list));
const data = (id: number, bytes: number, flags = 0) => frame(frameType.DATA, flags, id, Buffer.alloc(bytes));

/** A server that has been greeted, at the mercy of the test. */
function server({ consume = true, backlogBytes = (): number => 0 } = {}) {
  const written: Buffer[] = [];
  const streams: Http2Stream[] = [];
  const log: string[] = [];
  let ended = false;
  const connection = new Http2Connection({
    role: 'server',
    wire: {
      get backlogBytes() {
        return backlogBytes();
      },
      write(parts, taken) {
        written.push(...parts.map((part) => Buffer.from(part)));
        taken?.();
      },
      end: () => (ended = true),
    },
    accept(stream) {
      streams.push(stream);
      return {
        headers: () => {},
        data: (_, begin, end) => consume && stream.consume(end - begin),
        ended: () => log.push(`${stream.id} ended`),
        closed: (error) => log.push(`${stream.id} closed: ${error?.code ?? 'in order'}`),
      };
    },
  });
  let nowMs = 0;
  const give = (...frames: Buffer[]) => {
    for (const bytes of frames) connection.receive(bytes, 0, bytes.length, nowMs);
  };
  const sent = () => {
    const bytes = Buffer.concat(written);
    const frames: { type: number; id: number; code: string | undefined; payload: Buffer }[] = [];
    for (let at = 0; at < bytes.length; ) {
      const { length, type, streamId } = readFrameHead(bytes, at);
      const payload = bytes.subarray(at + 9, at + 9 + length);
      const codeAt = type === frameType.RST_STREAM ? 0 : type === frameType.GOAWAY ? 4 : undefined;
      frames.push({
        type,
        id: streamId,
        code: codeAt === undefined ? undefined : errorName(payload.readUInt32BE(codeAt)),
        payload,
      });
      at += 9 + length;
    }
    return frames;
  };
  const refusals = () =>
    sent().flatMap(({ type, id, code }) =>
      code === undefined ? [] : [`${type === frameType.GOAWAY ? 'connection' : id} ${code}`],
    );
  give(preface, settingsFrame([]));
  return {
    connection,
    give,
    sent,
    refusals,
    streams,
    log,
    wait: (ms: number) => (nowMs += ms),
    ended: () => ended,
  };
}

test('a header block that is cut into many frames is one; padding and priority are taken off', () => {
  const { give, streams, log, refusals } = server();
  const block = encodeHeaders(request);
  const priority = Buffer.from([0, 0, 0, 9, 7]);
  give(
    frame(
      frameType.HEADERS,
      flag.PADDED | flag.PRIORITY | flag.END_STREAM,
      1,
      Buffer.concat([Buffer.from([3]), priority, block.subarray(0, 1), Buffer.alloc(3)]),
    ),
    frame(frameType.CONTINUATION, 0, 1, block.subarray(1, 3)),
    frame(frameType.CONTINUATION, flag.END_HEADERS, 1, block.subarray(3)),
  );
  expect(streams).toHaveLength(1);
  expect(log).toEqual(['1 ended']);
  expect(refusals()).toEqual([]);
});

test('padding counts against the windows, and is given back without the application', () => {
  const { give, sent } = server();
  give(headers(1, 0));
  const padded = frame(
    frameType.DATA,
    flag.PADDED,
    1,
    Buffer.concat([Buffer.from([200]), Buffer.alloc(300)]),
  );
  for (let given = 0; given < limits.windowBytes / 2; given += 301) give(padded);
  expect(sent().some(({ type, id }) => type === frameType.WINDOW_UPDATE && id === 1)).toBe(true);
});

test.each<[string, Buffer[], string]>([
  [
    'more than the window of a stream',
    Array.from({ length: 9 }, () => data(1, 1 << 20)),
    '1 FLOW_CONTROL_ERROR',
  ],
  [
    'a frame above the limit',
    [frameHead(limits.http2FrameBytesMax + 1, frameType.DATA, 0, 1)],
    'connection FRAME_SIZE_ERROR',
  ],
  [
    'a control frame above its limit',
    [frameHead(limits.http2HeaderBlockBytesMax + 1, frameType.HEADERS, 0, 3)],
    'connection ENHANCE_YOUR_CALM',
  ],
  [
    'an unknown frame as large',
    [frameHead(limits.http2HeaderBlockBytesMax + 1, 77, 0, 3)],
    'connection ENHANCE_YOUR_CALM',
  ],
  [
    'too many settings',
    [settingsFrame(Array.from({ length: limits.http2SettingsMax + 1 }, () => [99, 1] as const))],
    'connection ENHANCE_YOUR_CALM',
  ],
  [
    'more body than promised',
    [headers(3, 0, [...request, ['content-length', '3']]), data(3, 4)],
    '3 PROTOCOL_ERROR',
  ],
  [
    'less body than promised',
    [headers(3, 0, [...request, ['content-length', '3']]), data(3, 2, flag.END_STREAM)],
    '3 PROTOCOL_ERROR',
  ],
  [
    'a content-length that is no number',
    [headers(3, 0, [...request, ['content-length', '-1']])],
    '3 PROTOCOL_ERROR',
  ],
  [
    'CONNECT',
    [
      headers(3, 0, [
        [':method', 'CONNECT'],
        [':authority', 'x'],
      ]),
    ],
    '3 PROTOCOL_ERROR',
  ],
  ['a push promise', [frame(frameType.PUSH_PROMISE, 4, 1, Buffer.alloc(4))], 'connection PROTOCOL_ERROR'],
  [
    'a window above 2^31 - 1 by settings',
    [windowUpdate(1, 2 ** 31 - 70_000), settingsFrame([[setting.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]])],
    'connection FLOW_CONTROL_ERROR',
  ],
])('%s is refused', (_, frames, refusal) => {
  const { give, refusals } = server({ consume: false });
  give(headers(1, 0), ...frames);
  expect(refusals()).toEqual([refusal]);
});

test('what goes on after a stream was refused does not harm the connection, and its window comes back', () => {
  const { give, refusals, sent } = server({ consume: false });
  give(headers(1, 0), ...Array.from({ length: 9 }, () => data(1, 1 << 20)));
  // The peer does not know yet.
  give(
    ...Array.from({ length: 40 }, () => data(1, 1 << 20)),
    headers(1, flag.END_STREAM),
    windowUpdate(1, 5),
    rstStream(1, 'CANCEL'),
  );
  expect(refusals()).toEqual(['1 FLOW_CONTROL_ERROR']);
  expect(sent().filter(({ type }) => type === frameType.WINDOW_UPDATE).length).toBeGreaterThan(1);
});

test('a bomb of headers ends the connection before it unfolds', () => {
  const { give, refusals } = server();
  const large = ['x', 'y'.repeat(3000)] as const;
  // Literal with indexing, then that entry again and again: a byte each.
  const text = (value: string) =>
    Buffer.concat([
      Buffer.from([127, ...[((value.length - 127) & 127) | 128, (value.length - 127) >> 7]]),
      Buffer.from(value),
    ]);
  const bomb = Buffer.concat([
    encodeHeaders(request),
    Buffer.from([0x40, 1]),
    Buffer.from(large[0]),
    text(large[1]),
    Buffer.alloc(10_000, 0x80 | 62),
  ]);
  give(frame(frameType.HEADERS, flag.END_HEADERS, 1, bomb));
  expect(refusals()).toEqual(['connection ENHANCE_YOUR_CALM']);
});

test('a header block that never ends is refused, by its bytes or by its frames', () => {
  const long = server();
  long.give(
    frame(frameType.HEADERS, 0, 1, Buffer.alloc(40_000, 0x82)),
    frame(frameType.CONTINUATION, 0, 1, Buffer.alloc(40_000, 0x82)),
  );
  expect(long.refusals()).toEqual(['connection ENHANCE_YOUR_CALM']);
  const empty = server();
  empty.give(
    frame(frameType.HEADERS, 0, 1),
    ...Array.from({ length: limits.http2IdleFramesBurst + 1 }, () => frame(frameType.CONTINUATION, 0, 1)),
  );
  expect(empty.refusals()).toEqual(['connection ENHANCE_YOUR_CALM']);
});

test('streams that are begun and reset are rationed: so many at once, then at a rate', () => {
  const { give, refusals, wait, log, ended } = server();
  let id = 1;
  const resets = (count: number) => {
    for (let index = 0; index < count; index++, id += 2)
      give(headers(id, flag.END_STREAM), rstStream(id, 'CANCEL'));
  };
  resets(limits.http2IdleFramesBurst);
  expect(refusals()).toEqual([]);
  wait(1000);
  resets(limits.http2IdleFramesPerSecond);
  expect(refusals()).toEqual([]);
  resets(1);
  expect(refusals()).toEqual(['connection ENHANCE_YOUR_CALM']);
  expect(ended()).toBe(true);
  expect(log.filter((line) => line.endsWith('closed: CANCEL'))).toHaveLength(
    limits.http2IdleFramesBurst + limits.http2IdleFramesPerSecond,
  );
});

test('streams above the limit are refused, so that they can be sent again, and the others go on', () => {
  const { give, refusals, streams } = server();
  for (let index = 0; index <= limits.http2StreamsMax; index++) give(headers(1 + 2 * index, 0));
  expect(refusals()).toEqual([`${1 + 2 * limits.http2StreamsMax} REFUSED_STREAM`]);
  expect(streams).toHaveLength(limits.http2StreamsMax);
});

test('answers that are asked for and not read do not pile up', () => {
  let unread = 0;
  const { give, refusals } = server({ backlogBytes: () => unread });
  const ping = pingFrame(0, Buffer.alloc(8));
  give(...Array.from({ length: 1000 }, () => ping));
  expect(refusals()).toEqual([]);
  unread = limits.http2BacklogBytes + limits.http2FrameBytesMax + limits.http2UnreadRepliesBytesMax + 1;
  give(ping);
  expect(refusals()).toEqual(['connection ENHANCE_YOUR_CALM']);
});

test('a peer that does not read holds up its own stream, not our memory; one that reads gets all', () => {
  let unread = 0;
  const { connection, give, sent, streams } = server({ backlogBytes: () => unread });
  give(
    settingsFrame([[setting.INITIAL_WINDOW_SIZE, 1 << 30]]),
    windowUpdate(0, 1 << 30),
    headers(1, flag.END_STREAM),
  );
  unread = limits.http2BacklogBytes;
  streams[0].send([Buffer.alloc(100_000)], { last: true });
  const bytes = () =>
    sent().reduce((sum, { type, payload }) => sum + (type === frameType.DATA ? payload.length : 0), 0);
  expect(bytes()).toBe(0);
  unread = 0;
  connection.pump();
  expect(bytes()).toBe(100_000);
});

test('streams take turns, whatever one has to send', () => {
  const { give, sent, streams } = server();
  give(headers(1, flag.END_STREAM), headers(3, flag.END_STREAM));
  // Both blocked by the window of the connection, then set free together.
  streams[0].send([Buffer.alloc(200_000)], { last: true });
  streams[1].send([Buffer.alloc(200_000)], { last: true });
  give(windowUpdate(1, 1 << 20), windowUpdate(3, 1 << 20), windowUpdate(0, 1 << 20));
  const order = sent()
    .filter(({ type }) => type === frameType.DATA)
    .map(({ id }) => id);
  const whenFree = order.slice(Math.ceil(65_535 / 16_384));
  expect(whenFree.slice(0, 16)).toEqual(Array.from({ length: 8 }, () => [1, 3]).flat());
});

test('bytes that were sent are free once the wire took them; those of a stream that was reset, too', () => {
  const { give, streams } = server();
  give(headers(1, flag.END_STREAM), headers(3, flag.END_STREAM));
  const taken: number[] = [];
  streams[0].send([Buffer.alloc(10)], { taken: () => taken.push(1) });
  // Beyond the window: part of it leaves, the rest never.
  streams[1].send([Buffer.alloc(100_000)], { taken: () => taken.push(3) });
  expect(taken).toEqual([1]);
  give(rstStream(3, 'CANCEL'));
  expect(taken).toEqual([1, 3]);
  streams[1].send([Buffer.alloc(1)], { taken: () => taken.push(4) });
  expect(taken).toEqual([1, 3, 4]);
});

test('before the greeting nothing counts', () => {
  for (const first of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.concat([preface, headers(1, 0)])]) {
    const written: Uint8Array[] = [];
    const wire = {
      backlogBytes: 0,
      write: (parts: readonly Uint8Array[]) => written.push(...parts),
      end: () => {},
    };
    const connection = new Http2Connection({ role: 'server', wire, accept: () => expect.unreachable() });
    connection.receive(first, 0, first.length, 0);
    expect(connection.closed).toBe(true);
  }
});

test('a client begins again elsewhere what a leaving server did not take, and ends what it took', () => {
  const written: Uint8Array[] = [];
  const wire = {
    backlogBytes: 0,
    write: (parts: readonly Uint8Array[]) => written.push(...parts),
    end: () => {},
  };
  const connection = new Http2Connection({ role: 'client', wire });
  const errors: Record<number, string> = {};
  const begin = () => {
    const handler = { headers: () => {}, data: () => {}, ended: () => {} };
    const stream: Http2Stream = connection.request(
      request,
      { ...handler, closed: (error) => (errors[stream.id] = error?.code ?? 'in order') },
      true,
    );
  };
  begin();
  begin();
  const give = (bytes: Buffer) => connection.receive(bytes, 0, bytes.length, 0);
  give(settingsFrame([]));
  give(goAway(1, 'NO_ERROR', ''));
  expect(errors).toEqual({ 3: 'REFUSED_STREAM' });
  expect(connection.hasRoom).toBe(false);
  give(headers(1, flag.END_STREAM, [[':status', '200']]));
  expect(errors[1]).toBe('in order');
  expect(connection.closed).toBe(true);
});
