import { type ClientHttp2Session, connect } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { Http2Socket } from '@tributary/client/transport/fast/Http2Socket.ts';
import { placeOf } from '@tributary/client/transport/fast/socketReading.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Http2Stream, StreamHandler } from '@tributary/core/http2/Http2Stream.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { bindError } from '../bind.ts';
import type { Log } from '../calls.ts';
import type { FastMethods } from './methods.ts';
import { relay } from './relay.ts';
import { type CallWork, ServerCall } from './ServerCall.ts';

/** What of a grpc-js server takes connections that are made in memory. */
type ConnectionInjector = ReturnType<GrpcServer['createConnectionInjector']>;

export interface FastServerOptions extends Log {
  readonly methods: FastMethods;
  /** Gets all other calls. Without it they are refused. */
  readonly behind?: ConnectionInjector;
}

/**
 * The fast path on one address: calls that carry tensors are answered here, all others are handed on in memory to a server of grpc-js. Plain TCP and
 * Unix sockets.
 */
export class FastServer {
  readonly #server: Server;
  readonly #options: FastServerOptions;
  readonly #sockets = new Set<Http2Socket>();
  #onEmpty: (() => void) | undefined;
  #stopping = false;

  private constructor(options: FastServerOptions) {
    this.#options = options;
    this.#server = createServer(
      { noDelay: true, pauseOnConnect: true, allowHalfOpen: true },
      (accepted) => void this.#accept(accepted),
    );
  }

  /** Listens on `host:port` or `unix:PATH`. Throws FAILED_PRECONDITION naming the address if that cannot be had. */
  static async listen(bind: string, options: FastServerOptions): Promise<FastServer> {
    const server = new FastServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', (error) => reject(bindError(bind, error)));
      server.#server.listen(placeOf(bind), () => {
        server.#server.removeAllListeners('error');
        resolve();
      });
    });
    server.#server.on('error', (error) =>
      options.log('error', `a connection was not accepted: ${error.message}`),
    );
    return server;
  }

  /** The port that was found if 0 was asked for. */
  get port(): number | undefined {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? undefined : address.port;
  }

  /** Takes no new calls and lets those under way end. Settles when they have; `destroy` hastens it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#server.close();
    for (const { connection } of this.#sockets) connection.leave();
    if (this.#sockets.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  /** Breaks off what is under way. */
  destroy(): void {
    for (const socket of [...this.#sockets]) socket.destroy();
  }

  async #accept(accepted: Socket): Promise<void> {
    const { methods, log, behind: server } = this.#options;
    let behind: ClientHttp2Session | undefined;
    let isClosed = false;
    const socket = await Http2Socket.accept(accepted, {
      accept: (stream, headers) => {
        const path = headers.find(([name]) => name === ':path')![1];
        if (!isGrpc(headers)) return refuseMedia(stream);
        const method = methods.get(path) ?? (server === undefined ? () => unknown(path) : undefined);
        if (method !== undefined) return new ServerCall(stream, headers, { log }, method);
        if (behind === undefined || behind.closed || behind.destroyed) behind = connectBehind(server!);
        return relay(stream, headers, behind);
      },
      onClosed: () => {
        isClosed = true;
        behind?.destroy();
        for (const found of this.#sockets) if (found.connection.closed) this.#sockets.delete(found);
        if (this.#sockets.size === 0) this.#onEmpty?.();
      },
      onDefect: (error) => log('error', (error as Error).stack ?? String(error)),
    });
    if (isClosed) return;
    this.#sockets.add(socket);
    if (this.#stopping) socket.connection.leave();
  }
}

function connectBehind(server: ConnectionInjector): ClientHttp2Session {
  const [near, far] = duplexPair();
  server.injectConnection(far);
  const session = connect('http://localhost', { createConnection: () => near });
  // Its streams tell.
  session.on('error', () => {});
  return session;
}

/** Where there is no server behind to say so. */
function unknown(path: string): CallWork {
  return {
    message: () => {},
    ended: () => {
      throw new TributaryError('UNIMPLEMENTED', `this server does not know ${path}`);
    },
  };
}

function isGrpc(headers: readonly Header[]): boolean {
  const value = (name: string) => headers.find(([found]) => found === name)?.[1] ?? '';
  return value(':method') === 'POST' && /^application\/grpc(?:$|[+;])/.test(value('content-type'));
}

/** Once the request is read, as some clients do not look at an answer before. */
function refuseMedia(stream: Http2Stream): StreamHandler {
  return {
    headers: () => {},
    data: (_, begin, end) => stream.consume(end - begin),
    ended() {
      stream.sendHeaders([
        [':status', '415'],
        ['content-type', 'text/plain'],
      ]);
      stream.send([Buffer.from('This server speaks gRPC.\n')], { last: true });
    },
    closed: () => {},
  };
}
