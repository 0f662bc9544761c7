import { connect as connectHttp2, createServer, type ServerHttp2Stream } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { limits } from '@tributary/core/limits/limits.ts';
import { addressOf, placeOf } from './listen.ts';
import { bytesOf, Model } from './Model.ts';
import type { RoleOptions } from './variants.ts';

/* One request per step: gradient bytes as its body, parameter bytes as that of the response. No gRPC. */

const settings = { initialWindowSize: limits.windowBytes };

export async function serve({ length, optimizer, unix }: RoleOptions): Promise<string> {
  const model = new Model(length, optimizer);
  const server = createServer({ settings });
  server.on('session', (session) => session.setLocalWindowSize(limits.windowBytes));
  server.on('stream', (stream: ServerHttp2Stream) => {
    const target = bytesOf(model.gradient);
    let received = 0;
    stream.on('data', (bytes: Uint8Array) => {
      target.set(bytes, received);
      received += bytes.length;
    });
    stream.on('end', () => {
      model.update();
      stream.respond({ ':status': 200 });
      stream.end(bytesOf(model.parameters));
    });
  });
  await new Promise<void>((resolve) => server.listen(placeOf(unix), resolve));
  return addressOf(server);
}

export async function connect({ address }: RoleOptions) {
  const session = connectHttp2('http://localhost', {
    settings,
    createConnection: () => connectSocket({ ...JSON.parse(address), noDelay: true }),
  });
  await new Promise((resolve) => session.once('connect', resolve));
  session.setLocalWindowSize(limits.windowBytes);
  return (gradient: Float32Array, parameters: Float32Array) =>
    new Promise<void>((resolve, reject) => {
      const target = bytesOf(parameters);
      let received = 0;
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.on('data', (bytes: Uint8Array) => {
        target.set(bytes, received);
        received += bytes.length;
      });
      stream.on('end', resolve).on('error', reject);
      stream.end(bytesOf(gradient));
    });
}
