import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { FastChannel } from '@tributary/client/transport/fast/FastChannel.ts';
import { acceptedSocketsRead } from '@tributary/client/transport/fast/socketReading.ts';
import { parameterService } from '@tributary/client/transport/parameterService.ts';
import { messagePrefix } from '@tributary/core/codec/MessageReader.ts';
import {
  flag,
  frameHead,
  frameType,
  preface,
  rstStream,
  setting,
  settingsFrame,
  windowUpdate,
} from '@tributary/core/http2/frames.ts';
import { encodeHeaders } from '@tributary/core/http2/hpack/encodeHeaders.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from '../server/testCluster.ts';

/* The fast path as its peers see it: node:http2, and bare sockets that do as they please. */

async function start(length = 1000) {
  const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };
  const cluster = await TestCluster.start(testSpec({ ranks: 1, layout }), 1, { transport: 'fast' });
  const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
  return { cluster, address: cluster.servers[0].address, target };
}

function session(address: string): ClientHttp2Session {
  const session = connectHttp2(`http://${address}`);
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

interface Answer {
  readonly http: number;
  readonly status: string | undefined;
  readonly message: string;
  readonly body: Buffer;
}

async function call(
  session: ClientHttp2Session,
  path: string,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const parts: Buffer[] = [];
  let found: Record<string, unknown> = {};
  stream.on('response', (response) => (found = { ...found, ...response }));
  stream.on('trailers', (trailers) => (found = { ...found, ...trailers }));
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.on('error', () => {});
  stream.end(body);
  await once(stream, 'close');
  return {
    http: Number(found[':status']),
    status: found['grpc-status'] as string | undefined,
    message: decodeURIComponent(String(found['grpc-message'] ?? '')),
    body: Buffer.concat(parts),
  };
}

const message = (bytes: Buffer) => Buffer.concat([messagePrefix(bytes.length), bytes]);
const { Pull: pull, Push: push } = parameterService;
const pullOf = (target: object) =>
  pull.requestSerialize({
    target,
    step: 0,
    latest: true,
    changedOnly: false,
    average: false,
    since: 0,
    waitMs: 0,
  } as never);

test('what is no good gRPC is refused with its status, and the connection goes on', async () => {
  const { address, target } = await start();
  const client = session(address);
  const good = message(pullOf(target));
  const header = push.requestSerialize({
    header: { target, rankBegin: 0, rankEnd: 1, tokens: [1], weight: 1 },
  } as never);
  const tooLong = messagePrefix(limits.messageBytesMax + 1);
  const compressed = Buffer.from(good);
  compressed[0] = 1;
  const cases: [string, string, Buffer, Record<string, string>, Partial<Record<keyof Answer, unknown>>][] = [
    ['another method', '/tributary.v1.ParameterServer/Nothing', good, {}, { status: '12' }],
    ['another service', '/other.Service/Pull', good, {}, { status: '12' }],
    ['no gRPC', pull.path, good, { 'content-type': 'application/json' }, { http: 415 }],
    ['something like gRPC', pull.path, good, { 'content-type': 'application/grpcx' }, { http: 415 }],
    ['GET', pull.path, good, { ':method': 'PUT' }, { http: 415 }],
    [
      'no message',
      pull.path,
      Buffer.alloc(0),
      {},
      { status: '3', message: expect.stringContaining('without its request') },
    ],
    ['two messages', pull.path, Buffer.concat([good, good]), {}, { status: '3' }],
    [
      'half a message',
      pull.path,
      good.subarray(0, -1),
      {},
      { status: '3', message: expect.stringContaining('middle of a message') },
    ],
    ['no protobuf', pull.path, message(Buffer.from([255, 255])), {}, { status: '3' }],
    [
      'compressed',
      pull.path,
      compressed,
      {},
      { status: '12', message: expect.stringContaining('compressed') },
    ],
    [
      'too long',
      push.path,
      tooLong,
      {},
      { status: '8', message: expect.stringContaining(String(limits.messageBytesMax)) },
    ],
    ['a header twice', push.path, Buffer.concat([message(header), message(header)]), {}, { status: '3' }],
    [
      'a false timeout',
      pull.path,
      good,
      { 'grpc-timeout': 'soon' },
      { status: '3', message: expect.stringContaining('soon') },
    ],
    ['no time', pull.path, good.subarray(0, 3), { 'grpc-timeout': '0n' }, {}],
    [
      'a good one',
      pull.path,
      good,
      { 'grpc-timeout': '9S', 'content-type': 'application/grpc+proto' },
      { http: 200, status: '0' },
    ],
  ];
  for (const [what, path, body, headers, answer] of cases) {
    expect(await call(client, path, body, headers), what).toMatchObject(answer);
  }
});

test('a deadline that passes ends the call with its status', async () => {
  const { address, target } = await start();
  const waiting = pull.requestSerialize({ target, step: 1, waitMs: 60_000 } as never);
  const answer = await call(session(address), pull.path, message(waiting), { 'grpc-timeout': '50m' });
  expect(answer).toMatchObject({ status: '4', message: 'the deadline of the call has passed' });
});

/** A peer that writes frames and reads when it likes. */
async function bare(address: string): Promise<Socket> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host).setMaxListeners(0);
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const headersOf = (path: string): Header[] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', path],
  ['content-type', 'application/grpc'],
];

function headersFrame(id: number, path: string): Buffer {
  const block = encodeHeaders(headersOf(path));
  return Buffer.concat([frameHead(block.length, frameType.HEADERS, flag.END_HEADERS, id), block]);
}

function dataFrame(id: number, bytes: Buffer, flags = 0): Buffer {
  return Buffer.concat([frameHead(bytes.length, frameType.DATA, flags, id), bytes]);
}

test('many peers that ask for everything and read nothing hold no memory, and others are served', async () => {
  const length = 4_000_000;
  const { cluster, address, target } = await start(length);
  const wide = [
    preface,
    settingsFrame([[setting.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]]),
    windowUpdate(0, 2 ** 31 - 70_000),
  ];
  const before = process.memoryUsage().rss;
  for (let peer = 0; peer < 20; peer++) {
    const socket = await bare(address);
    socket.pause();
    socket.write(Buffer.concat(wide));
    for (let id = 1; id < 40; id += 2)
      socket.write(
        Buffer.concat([headersFrame(id, pull.path), dataFrame(id, message(pullOf(target)), flag.END_STREAM)]),
      );
  }
  const client = cluster.client({ transport: 'fast' });
  const parameters = new Float32Array(length);
  for (let step = 0; step < 3; step++) {
    expect((await client.push(pushOf(0, step, gradientOf(0, step, length)))).outcome).toBe('applied');
    expect(await client.pull(step + 1, parameters)).toMatchObject({ ready: true });
  }
  // Their answers would be 6 GB. A version that someone still reads is kept: three of them, and the kernel's buffers.
  expect(process.memoryUsage().rss - before).toBeLessThan(500 << 20);
});

test('a peer that stops in the middle of a push, or says goodbye there, leaves nothing', async () => {
  const length = 500_000;
  const { cluster, address, target } = await start(length);
  const header = push.requestSerialize({
    header: { target, rankBegin: 0, rankEnd: 1, step: 0, tokens: [1], weight: 1, loss: 1 },
  } as never);
  const chunk = push.requestSerialize({ chunk: { offset: 0, data: Buffer.alloc(1 << 20) } } as never);
  const hello = Buffer.concat([preface, settingsFrame([])]);
  const begun = Buffer.concat([
    hello,
    headersFrame(1, push.path),
    dataFrame(1, message(header)),
    dataFrame(1, message(chunk)).subarray(0, 700_000),
  ]);
  // Gone, half closed, and reset in the middle of the next frame's place.
  const gone = await bare(address);
  gone.write(begun, () => gone.destroy());
  const half = await bare(address);
  half.end(begun);
  await once(half.resume(), 'close');
  const reset = await bare(address);
  reset.write(
    Buffer.concat([
      hello,
      headersFrame(1, push.path),
      dataFrame(1, message(header)),
      dataFrame(1, message(chunk)),
      rstStream(1, 'CANCEL'),
    ]),
  );
  const asleep = await bare(address);
  asleep.write(begun);

  const client = cluster.client({ transport: 'fast' });
  expect((await client.describe())[0].outcomes).toMatchObject({ applied: 0, rejected: 0 });
  const gradient = gradientOf(0, 0, length);
  expect((await client.push(pushOf(0, 0, gradient))).outcome).toBe('applied');
  const parameters = new Float32Array(length);
  await client.pull(1, parameters);
  const expected = Float32Array.from(gradient, (value) => 0 - 0.5 * Math.fround(value / 2));
  expect(sameBits(parameters, expected)).toBe(true);
});

test('floods end their connection and no other', async () => {
  const { cluster, address } = await start();
  const client = cluster.client({ transport: 'fast' });
  const hello = Buffer.concat([preface, settingsFrame([])]);
  const rapidResets = Array.from({ length: 5000 }, (_, index) =>
    Buffer.concat([headersFrame(1 + 2 * index, push.path), rstStream(1 + 2 * index, 'CANCEL')]),
  );
  const ping = Buffer.concat([frameHead(8, frameType.PING, 0, 0), Buffer.alloc(8)]);
  const pings = Array.from({ length: 3000 }, () => Buffer.concat(Array.from({ length: 2000 }, () => ping)));
  for (const [flood, reads] of [
    [rapidResets, true],
    // Pings that are answered cost both sides the same. Those whose answers nobody reads do not.
    [pings, false],
  ] as const) {
    const socket = await bare(address);
    if (reads) socket.resume();
    socket.write(hello);
    for (const part of flood)
      if (!socket.write(part)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    await once(socket.resume(), 'close');
    expect(await client.describe()).toHaveLength(1);
  }
});

test('who does not greet is sent away', async () => {
  const { address } = await start();
  const socket = await bare(address);
  socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  await once(socket.resume(), 'close');
});

test('a peer that vanished without a word is noticed', async () => {
  const { address } = await start();
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const asleep = await bare(address);
  asleep.write(Buffer.concat([preface, settingsFrame([])]));
  await once(asleep, 'data');
  const closed = new Promise((resolve) => asleep.once('close', resolve));
  // Silent for one round, asked in the next, and then given up.
  vi.advanceTimersByTime(2 * limits.keepaliveMs + limits.keepaliveTimeoutMs);
  await closed;
});

test('more calls at once than the server allows wait for their turn', async () => {
  const { cluster, address } = await start();
  const channel = new FastChannel(address);
  onTestFinished(() => channel.close());
  const request = { jobHash: cluster.hash };
  const all = await Promise.all(
    Array.from({ length: limits.http2StreamsMax + 200 }, () =>
      channel.unary('Describe', request, { deadlineMs: 25_000 }),
    ),
  );
  expect(new Set(all.map(({ generation }) => generation))).toEqual(new Set([1]));
});

test('accepted sockets read into our memory in this version of Node', async () => {
  expect(await acceptedSocketsRead()).toBe(true);
});
