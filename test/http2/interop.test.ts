import { once } from 'node:events';
import { createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { type Duplex, duplexPair } from 'node:stream';
import type { Http2Connection } from '@tributary/core/http2/Http2Connection.ts';
import type { Http2Stream } from '@tributary/core/http2/Http2Stream.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, onTestFinished, test } from 'vitest';
import { collect, nodeClient, overDuplex, type Received } from './overDuplex.ts';

/* The same protocol as written by others: node:http2 (nghttp2) at the other end. */

/** Answers with what came. */
function echo(stream: Http2Stream, headers: readonly Header[]) {
  return collect(
    () => stream,
    ({ body }) => {
      const own = headers.filter(([name]) => name.startsWith('x-'));
      stream.sendHeaders([[':status', '200'], ...own]);
      if (body.length > 0) stream.send([body.subarray(0, 5), body.subarray(5)]);
      stream.end([['x-bytes', String(body.length)]]);
    },
  );
}

async function exchange(
  session: ReturnType<typeof nodeClient>['session'],
  headers: OutgoingHttpHeaders,
  body: Buffer,
) {
  const stream = session.request({ ':method': 'POST', ':path': '/echo', ...headers });
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  const got = Promise.all([once(stream, 'response'), once(stream, 'trailers'), once(stream, 'end')]);
  stream.end(body);
  const [[response], [trailers]] = await got;
  return { response, trailers, body: Buffer.concat(parts) };
}

/** Some the same again, so that they come from the dynamic table; some so long that they push others out of it. */
function randomHeaders(uniform: () => number): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let count = Math.floor(uniform() * 12); count > 0; count--) {
    const length = uniform() < 0.1 ? 1500 : Math.floor(uniform() * 40);
    const character = () => String.fromCharCode(33 + Math.floor(uniform() * (uniform() < 0.2 ? 222 : 94)));
    const value =
      uniform() < 0.4 ? 'the same' : Array.from({ length }, character).join('').replaceAll('\x7f', '~');
    headers[`x-${Math.floor(uniform() * 30)}`] = value.trim();
  }
  return headers;
}

test('headers of any kind arrive as they were sent, both ways, a thousand times on one connection', async () => {
  const uniform = createUniforms(1);
  const { session } = nodeClient(echo, { maxHeaderListPairs: 2000 } as object);
  for (let round = 0; round < 1000; round++) {
    const headers = randomHeaders(uniform);
    const { response } = await exchange(session, headers, Buffer.alloc(0));
    expect(response).toMatchObject(headers);
  }
});

test('bodies of any length arrive, in windows and frames of any size', async () => {
  const uniform = createUniforms(2);
  for (const settings of [
    {},
    { initialWindowSize: 1 },
    { initialWindowSize: 20_000_000, maxFrameSize: 1 << 20 },
  ]) {
    const { session } = nodeClient(echo, { settings });
    for (const length of [1, 16_384, 65_535, 65_536, settings.initialWindowSize === 1 ? 5000 : 20_000_000]) {
      const body = Buffer.from(Float64Array.from({ length: 1000 }, uniform).buffer);
      const sent = Buffer.alloc(length, body);
      const { body: got, trailers } = await exchange(session, {}, sent);
      expect(trailers['x-bytes']).toBe(String(length));
      expect(got.equals(sent)).toBe(true);
    }
  }
});

test('many streams at once each get their own', async () => {
  const { session, connection } = nodeClient(echo);
  const bodies = Array.from({ length: 200 }, (_, index) => Buffer.alloc(10_000 + index * 777, index));
  const all = await Promise.all(
    bodies.map((body, index) => exchange(session, { 'x-index': String(index) }, body)),
  );
  all.forEach(({ response, body }, index) => {
    expect(response['x-index']).toBe(String(index));
    expect(body.equals(bodies[index])).toBe(true);
  });
  expect(connection.streams).toBe(0);
});

async function ourClient(answer: (stream: ServerHttp2Stream) => void, options: object = {}) {
  const [near, far] = duplexPair();
  const server = createServer(options)
    .on('stream', answer)
    .on('sessionError', () => {});
  server.emit('connection', far as Duplex);
  const connection = overDuplex(near, { role: 'client' });
  onTestFinished(() => {
    near.destroy();
    far.destroy();
  });
  return connection;
}

function ask(connection: Http2Connection, parts: Uint8Array[], last = true): Promise<Received> {
  return new Promise((resolve, reject) => {
    const handler = collect(() => stream, resolve);
    const request: Header[] = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'here'],
    ];
    const stream: Http2Stream = connection.request(
      request,
      { ...handler, closed: (error) => error && reject(error) },
      false,
    );
    stream.send(parts, { last });
  });
}

test('a client of ours talks to a server of node:http2', async () => {
  const connection = await ourClient((stream) => {
    stream.respond({ ':status': 200, 'x-a': 'ä' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.pipe(stream);
  });
  const body = Buffer.alloc(3_000_000, 'abc');
  const received = await ask(connection, [body.subarray(0, 1_000_001), body.subarray(1_000_001)]);
  expect(received.body.equals(body)).toBe(true);
  expect(received.headers[0]).toContainEqual(['x-a', 'ä']);
  expect(received.headers[1]).toEqual([['grpc-status', '0']]);
});

test('what node:http2 breaks off is told from what ended', async () => {
  const connection = await ourClient((stream) => {
    stream.on('error', () => {});
    stream.close(11);
  });
  await expect(ask(connection, [])).rejects.toMatchObject({ code: 'ENHANCE_YOUR_CALM' });
});

test('a client of node:http2 sees why its stream or connection was ended', async () => {
  const { session, connection } = nodeClient((stream, headers) => {
    if (headers.some(([, value]) => value === '/echo')) return echo(stream, headers);
    queueMicrotask(() => stream.reset('CANCEL', 'enough'));
    return collect(
      () => stream,
      () => {},
    );
  });
  const stream = session.request({ ':path': '/' }).resume();
  stream.on('error', () => {});
  await once(stream, 'close');
  expect(stream.rstCode).toBe(8);

  await exchange(session, {}, Buffer.alloc(1));
  const closed = once(session, 'close');
  const goaway = once(session, 'goaway');
  connection.leave();
  expect((await goaway)[0]).toBe(0);
  await closed;
});
