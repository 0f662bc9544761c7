import type { Socket } from 'node:net';
import { type ConnectionOptions, Http2Connection } from '@tributary/core/http2/Http2Connection.ts';
import { Http2Error } from '@tributary/core/http2/Http2Error.ts';
import type { StreamHandler } from '@tributary/core/http2/Http2Stream.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { type ByteSink, connectReading, readAccepted } from './socketReading.ts';

export interface SocketOptions extends Omit<ConnectionOptions, 'role' | 'wire' | 'onPong'> {
  /** A defect of ours in the middle of a connection: it ends that, and is told. */
  readonly onDefect?: (error: unknown) => void;
}

/** A stream that has a place for what comes. */
export interface PlacingHandler extends StreamHandler {
  /** Where the next of its bytes belong. They are given to `data` all the same, as a view of just that place. */
  place(): Uint8Array | undefined;
  /** The kernel may write to what `place` gave, from now on or no longer. While it may, the memory must not be used for anything else, also when the stream is closed. */
  held(isHeld: boolean): void;
}

/** An HTTP/2 connection on a socket, with what needs a clock: it must be greeted in time, and a peer that vanished is noticed. */
export class Http2Socket implements ByteSink {
  readonly connection: Http2Connection;
  readonly #socket: Socket;
  readonly #onDefect: SocketOptions['onDefect'];
  readonly #keepalive: NodeJS.Timeout;
  readonly #greeting: NodeJS.Timeout;
  /** A server does not keep connections of clients that are gone; a client cares only when it waits for something. */
  readonly #asksAlways: boolean;
  #silent = false;
  #pong: NodeJS.Timeout | undefined;
  /** What was given to us in this turn of the event loop, and who is to be told when it has left. */
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #taken: (() => void)[] = [];
  /** Whose memory the kernel may be writing to. */
  #placing: PlacingHandler | undefined;

  private constructor(socket: Socket, role: 'client' | 'server', options: SocketOptions) {
    this.#socket = socket;
    this.#onDefect = options.onDefect;
    this.#asksAlways = role === 'server';
    this.connection = new Http2Connection({
      ...options,
      role,
      wire: this.#wire(),
      onPong: () => clearTimeout(this.#pong),
    });
    this.#keepalive = setInterval(() => this.#checkAlive(), limits.keepaliveMs).unref();
    this.#greeting = setTimeout(() => this.#checkGreeted(), limits.http2GreetingMs).unref();
    const lost = (message: string) => {
      clearInterval(this.#keepalive);
      clearTimeout(this.#greeting);
      clearTimeout(this.#pong);
      this.connection.lost(message);
    };
    socket.on('error', (error) => lost(error.message));
    socket.on('end', () => lost('the other side closed the connection'));
    socket.on('close', () => {
      lost('the connection is closed');
      this.#moveOn();
    });
  }

  /** Connects; rejects with the error of the socket. */
  static connect(address: string, options: SocketOptions): Promise<Http2Socket> {
    return new Promise((resolve, reject) => {
      let opened: Http2Socket | undefined;
      const socket = connectReading(address, {
        place: () => opened?.place(),
        bytes: (bytes, end) => opened?.bytes(bytes, end),
      });
      const late = setTimeout(
        () => socket.destroy(new Error(`no connection within ${limits.callDeadlineMs / 1000} s`)),
        limits.callDeadlineMs,
      );
      const settled = () => {
        clearTimeout(late);
        socket.off('error', failed);
      };
      const failed = (error: Error) => {
        settled();
        reject(error);
      };
      socket.once('error', failed).once('connect', () => {
        settled();
        opened = new Http2Socket(socket, 'client', options);
        resolve(opened);
      });
    });
  }

  /** Takes over a socket from a server with pauseOnConnect. */
  static async accept(accepted: Socket, options: SocketOptions): Promise<Http2Socket> {
    let opened: Http2Socket | undefined;
    const socket = await readAccepted(accepted, {
      place: () => opened?.place(),
      bytes: (bytes, end) => opened?.bytes(bytes, end),
    });
    opened = new Http2Socket(socket, 'server', options);
    return opened;
  }

  /** At once; streams end with an error. */
  destroy(): void {
    this.connection.lost('the connection is closed');
    this.#socket.destroy();
  }

  place(): Uint8Array | undefined {
    this.#moveOn();
    const data = this.connection.dataUnderWay;
    if (data === undefined || data.bytes < limits.placedReadBytesMin) return undefined;
    const handler = data.handler as PlacingHandler;
    const place = handler.place?.();
    if (place === undefined || place.length < limits.placedReadBytesMin) return undefined;
    this.#placing = handler;
    handler.held(true);
    return place.subarray(0, data.bytes);
  }

  bytes(bytes: Uint8Array, end: number): void {
    this.#silent = false;
    clearTimeout(this.#pong);
    try {
      this.connection.receive(bytes, 0, end, performance.now());
    } catch (error) {
      this.#onDefect?.(error);
      this.connection.fail(new Http2Error('INTERNAL_ERROR', (error as Error).message));
    }
  }

  #moveOn(): void {
    const handler = this.#placing;
    this.#placing = undefined;
    handler?.held(false);
  }

  #wire(): ConnectionOptions['wire'] {
    const socket = this.#socket;
    const backlogBytes = () => socket.writableLength + this.#outgoingBytes;
    return {
      get backlogBytes() {
        return backlogBytes();
      },
      write: (parts, taken) => this.#write(parts, taken),
      end: () => {
        this.#flush();
        // What the other side still sends is read and dropped: were the socket closed over it, our last words would be lost.
        socket.end();
        setTimeout(() => socket.destroy(), limits.http2LingerMs).unref();
      },
    };
  }

  /** What is written in one turn of the event loop leaves in one system call. */
  #write(parts: readonly Uint8Array[], taken: (() => void) | undefined): void {
    if (!this.#socket.writable) {
      taken?.();
      return;
    }
    if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
    for (const part of parts) {
      this.#outgoing.push(part);
      this.#outgoingBytes += part.length;
    }
    if (taken !== undefined) this.#taken.push(taken);
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return;
    const socket = this.#socket;
    const parts = joinSmall(this.#outgoing);
    const taken = this.#taken;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    this.#taken = [];
    const left = () => {
      for (const tell of taken) tell();
      this.connection.pump();
    };
    if (!socket.writable) {
      left();
      return;
    }
    socket.cork();
    for (const part of parts.slice(0, -1)) socket.write(part);
    socket.write(parts.at(-1)!, left);
    socket.uncork();
  }

  #checkGreeted(): void {
    if (!this.connection.greeted)
      this.connection.fail(
        new Http2Error('SETTINGS_TIMEOUT', `no greeting within ${limits.http2GreetingMs} ms`),
      );
  }

  /** Asks after a time of silence, and gives the peer up when it does not answer. */
  #checkAlive(): void {
    if (this.#silent && (this.#asksAlways || this.connection.streams > 0)) {
      this.connection.ping();
      this.#pong = setTimeout(() => this.#vanished(), limits.keepaliveTimeoutMs).unref();
    }
    this.#silent = true;
  }

  #vanished(): void {
    this.connection.lost(`no sign of life for ${(limits.keepaliveMs + limits.keepaliveTimeoutMs) / 1000} s`);
    this.#socket.destroy();
  }
}

/** Heads of frames, messages and chunks, which lie between each other: a write of its own costs each more than a copy. */
function joinSmall(parts: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  /** Of the small ones in a row. */
  let begin = 0;
  for (let at = 0; at <= parts.length; at++) {
    if (at < parts.length && parts[at].length <= limits.joinedBytes) continue;
    if (at > begin) joined.push(at === begin + 1 ? parts[begin] : Buffer.concat(parts.slice(begin, at)));
    if (at < parts.length) joined.push(parts[at]);
    begin = at + 1;
  }
  return joined;
}
