import { type ClientHttp2Session, connect } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { Http2Socket } from '@tributary/client/transport/fast/Http2Socket.ts';
import { placeOf } from '@tributary/client/transport/fast/socketReading.ts';
import type { Http2Stream, StreamHandler } from '@tributary/core/http2/Http2Stream.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import type { ExchangeContext } from '../ExchangeSession.ts';
import { methods } from './methods.ts';
import { relay } from './relay.ts';
import { ServerCall } from './ServerCall.ts';

/** What of a grpc-js server takes connections that are made in memory. */
type ConnectionInjector = ReturnType<GrpcServer['createConnectionInjector']>;

/**
 * The fast path in front of a server of grpc-js, on one address: calls that carry tensors are answered here, all others are handed on in memory. Plain TCP and
 * Unix sockets.
 */
export class FastServer {
  readonly #server: Server;
  readonly #context: ExchangeContext;
  readonly #behind: ConnectionInjector;
  readonly #sockets = new Set<Http2Socket>();
  #onEmpty: (() => void) | undefined;
  #stopping = false;

  private constructor(context: ExchangeContext, behind: ConnectionInjector) {
    this.#context = context;
    this.#behind = behind;
    this.#server = createServer(
      { noDelay: true, pauseOnConnect: true, allowHalfOpen: true },
      (accepted) => void this.#accept(accepted),
    );
  }

  /** Listens on `host:port` or `unix:PATH`; rejects with the error of the socket. */
  static async listen(
    bind: string,
    context: ExchangeContext,
    behind: ConnectionInjector,
  ): Promise<FastServer> {
    const server = new FastServer(context, behind);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(placeOf(bind), () => {
        server.#server.off('error', reject);
        resolve();
      });
    });
    server.#server.on('error', (error) =>
      context.log('error', `a connection was not accepted: ${error.message}`),
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
    let behind: ClientHttp2Session | undefined;
    let isClosed = false;
    const socket = await Http2Socket.accept(accepted, {
      accept: (stream, headers) => {
        const path = headers.find(([name]) => name === ':path')![1];
        if (!isGrpc(headers)) return refuseMedia(stream);
        const method = methods.get(path);
        if (method !== undefined)
          return new ServerCall(stream, headers, this.#context, (call) => method(call, this.#context));
        if (behind === undefined || behind.closed || behind.destroyed) behind = this.#connectBehind();
        return relay(stream, headers, behind);
      },
      onClosed: () => {
        isClosed = true;
        behind?.destroy();
        for (const found of this.#sockets) if (found.connection.closed) this.#sockets.delete(found);
        if (this.#sockets.size === 0) this.#onEmpty?.();
      },
      onDefect: (error) => this.#context.log('error', (error as Error).stack ?? String(error)),
    });
    if (isClosed) return;
    this.#sockets.add(socket);
    if (this.#stopping) socket.connection.leave();
  }

  #connectBehind(): ClientHttp2Session {
    const [near, far] = duplexPair();
    this.#behind.injectConnection(far);
    const session = connect('http://localhost', { createConnection: () => near });
    // Its streams tell.
    session.on('error', () => {});
    return session;
  }
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
