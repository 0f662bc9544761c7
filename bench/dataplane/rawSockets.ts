import { connect as connectSocket, createServer, Socket, type SocketConstructorOpts } from 'node:net';
import { addressOf, placeOf } from './listen.ts';
import { bytesOf, Model } from './Model.ts';
import type { RoleOptions } from './variants.ts';

/* The least that can be done: gradient bytes one way, parameter bytes back, lengths known. Every read goes through one buffer that is used again. */

const readBytes = 1 << 20;

export async function serve({ length, optimizer, unix }: RoleOptions): Promise<string> {
  const model = new Model(length, optimizer);
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    const socket = withReadBuffer(
      accepted,
      receiver(bytesOf(model.gradient), () => {
        model.update();
        socket.write(bytesOf(model.parameters));
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(placeOf(unix), resolve));
  return addressOf(server);
}

export async function connect({ address }: RoleOptions) {
  let receive: (bytes: Uint8Array) => void = () => {};
  const socket = connectSocket({
    ...JSON.parse(address),
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (count: number, buffer: Uint8Array) => {
        receive(buffer.subarray(0, count));
        return true;
      },
    },
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return (gradient: Float32Array, parameters: Float32Array) =>
    new Promise<void>((resolve) => {
      receive = receiver(bytesOf(parameters), resolve);
      socket.write(bytesOf(gradient));
    });
}

function receiver(target: Uint8Array, done: () => void): (bytes: Uint8Array) => void {
  let received = 0;
  return (bytes) => {
    target.set(bytes, received);
    received += bytes.length;
    if (received < target.length) return;
    received = 0;
    done();
  };
}

/** Not public: the handle of an accepted socket, moved into a socket that reads into a buffer of ours. */
function withReadBuffer(accepted: Socket, receive: (bytes: Uint8Array) => void): Socket {
  const inner = accepted as unknown as { _handle: unknown };
  const handle = inner._handle;
  inner._handle = null;
  const socket = new Socket({
    handle,
    readable: true,
    writable: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (count: number, buffer: Uint8Array) => {
        receive(buffer.subarray(0, count));
        return true;
      },
    },
  } as SocketConstructorOpts);
  socket.on('error', () => {});
  socket.resume();
  socket.read(0);
  return socket;
}
