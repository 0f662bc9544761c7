import { connect, createServer, Socket, type SocketConstructorOpts, type TcpNetConnectOpts } from 'node:net';
import { limits } from '@tributary/core/limits/limits.ts';

/**
 * Sockets that read into memory that is there already: of a chunk even to the place where it belongs. Node's ordinary 'data' events come with new memory for every 64 KiB, and at gigabytes per second the
 * page faults and garbage collections for it cost more than the transfer.
 *
 * For a socket that connects this is public (`onread`). For one that was accepted it is not: its handle is moved into a new socket, here alone, and only after
 * `acceptedSocketsRead` has tried that out. Otherwise 'data' events do, at a quarter to a half of the speed.
 */

/** For what has no other place. All sockets of a process share it: a read fills it, and what came is used before the next read. */
const buffer = Buffer.allocUnsafeSlow(limits.socketReadBytes);

export interface ByteSink {
  /** Where the next bytes shall be read to; undefined: anywhere. It is asked after each `bytes`: what it gave before is then not written to any more. */
  place(): Uint8Array | undefined;
  /** What came: the bytes before `end`, to be used now. */
  bytes(bytes: Uint8Array, end: number): void;
}

function onread(sink: ByteSink): NonNullable<SocketConstructorOpts['onread']> {
  return {
    buffer: () => sink.place() ?? buffer,
    callback: (count: number, filled: Uint8Array) => {
      sink.bytes(filled, count);
      return true;
    },
  };
}

export function connectReading(address: string, sink: ByteSink): Socket {
  const options = { ...placeOf(address), noDelay: true, onread: onread(sink) };
  return connect(options as TcpNetConnectOpts).resume();
}

/** For a socket from a server with pauseOnConnect; use what it returns, and no more the one given. */
export async function readAccepted(accepted: Socket, sink: ByteSink): Promise<Socket> {
  if (await acceptedSocketsRead()) return moveHandle(accepted, sink);
  accepted.on('data', (bytes: Buffer) => sink.bytes(bytes, bytes.length));
  return accepted.resume();
}

function moveHandle(accepted: Socket, sink: ByteSink): Socket {
  const inner = accepted as unknown as { _handle: object | null };
  const handle = inner._handle;
  inner._handle = null;
  const options = { handle, readable: true, writable: true, onread: onread(sink) };
  const socket = new Socket(options as SocketConstructorOpts);
  socket.setNoDelay(true);
  socket.resume().read(0);
  return socket;
}

let tried: Promise<boolean> | undefined;

/** Does moving the handle work in this version of Node? Tried once, over a real connection. */
export function acceptedSocketsRead(): Promise<boolean> {
  tried ??= tryOut().catch(() => false);
  return tried;
}

function tryOut(): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const text = 'to and fro';
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    try {
      const place = Buffer.alloc(2 * text.length);
      const moved = moveHandle(accepted, {
        place: () => place,
        bytes(bytes, end) {
          const isThere = bytes === place && place.toString('latin1', 0, end) === text;
          moved.end(isThere ? text : '');
        },
      });
      moved.on('error', reject);
    } catch (error) {
      reject(error);
    }
  });
  server.on('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number };
    const client = connect(port, '127.0.0.1', () => client.write(text));
    client.setTimeout(limits.callDeadlineMs, () => client.destroy());
    client.on('data', (bytes) => resolve(bytes.toString('latin1') === text));
    client.on('error', reject).on('close', () => resolve(false));
  });
  return promise.finally(() => server.close());
}

/** An address of ours as node:net takes it. */
export function placeOf(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
  };
}
