import { type ClientHttp2Session, type ClientSessionOptions, connect as connectHttp2 } from 'node:http2';
import { type Duplex, duplexPair } from 'node:stream';
import type { Wire } from '@tributary/core/http2/FrameSender.ts';
import { type ConnectionOptions, Http2Connection } from '@tributary/core/http2/Http2Connection.ts';
import type { Http2Stream, StreamHandler } from '@tributary/core/http2/Http2Stream.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { onTestFinished } from 'vitest';

/** A connection of ours over one end of a pair in memory. */
export function overDuplex(duplex: Duplex, options: Omit<ConnectionOptions, 'wire'>): Http2Connection {
  const wire: Wire = {
    get backlogBytes() {
      return duplex.writableLength;
    },
    write(parts, taken) {
      duplex.write(Buffer.concat(parts), () => {
        taken?.();
        connection.pump();
      });
    },
    end: () => duplex.end(),
  };
  const connection: Http2Connection = new Http2Connection({ ...options, wire });
  duplex.on('data', (bytes: Buffer) => connection.receive(bytes, 0, bytes.length, performance.now()));
  duplex.on('close', () => connection.lost('gone'));
  duplex.on('error', () => {});
  return connection;
}

/** A client of node:http2 in front of a server connection of ours. */
export function nodeClient(
  accept: NonNullable<ConnectionOptions['accept']>,
  options: ClientSessionOptions = {},
): { session: ClientHttp2Session; connection: Http2Connection } {
  const [near, far] = duplexPair();
  const connection = overDuplex(far, { role: 'server', accept });
  const session = connectHttp2('http://localhost', { createConnection: () => near, ...options });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return { session, connection };
}

export interface Received {
  readonly headers: (readonly Header[])[];
  readonly body: Buffer;
}

/** Collects what comes on a stream, and calls `done` when the peer has said all. */
export function collect(stream: () => Http2Stream, done: (received: Received) => void): StreamHandler {
  const headers: (readonly Header[])[] = [];
  const parts: Buffer[] = [];
  return {
    headers: (found) => headers.push(found),
    data(bytes, begin, end) {
      parts.push(Buffer.from(bytes.subarray(begin, end)));
      stream().consume(end - begin);
    },
    ended: () => done({ headers, body: Buffer.concat(parts) }),
    closed: () => {},
  };
}
