import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { parameterService } from '@tributary/client/transport/parameterService.ts';
import type { Transport } from '@tributary/client/transport/transport.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gradientOf, pushOf, TestCluster, testSpec } from './testCluster.ts';

/* Streams that no client library would send, byte by byte over HTTP/2. */

const spec = testSpec({ ranks: 1 });
const { length } = spec.layout;
const { requestSerialize, responseDeserialize, path } = parameterService.Push;

const framed = (message: Buffer) => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
};

async function start(transport: Transport) {
  const cluster = await TestCluster.start(spec, 1, { transport });
  const session = connect(`http://${cluster.servers[0].address}`);
  onTestFinished(() => session.destroy());
  const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
  const ranks = { rankBegin: 0, rankEnd: 1, tokens: [1] };
  const header = framed(
    requestSerialize({
      header: { target, ...ranks, step: 0, weight: 2, loss: 1, squares: 0, encoding: 'F32', version: 0 },
    }),
  );
  const unchanged = async () => {
    const [{ shards, rejected }] = await cluster.client().describe();
    expect([rejected, shards[0].version, shards[0].clocks]).toEqual([0, 0, [0]]);
    // And a good push still finds everything as it should be.
    const gradient = gradientOf(0, 0, length);
    expect(await cluster.client().push(pushOf(0, 0, gradient))).toMatchObject({
      outcome: 'applied',
      clock: 1,
    });
  };
  return { cluster, session, header, unchanged };
}

const chunkOf = (offset: number, elements: number) =>
  framed(requestSerialize({ chunk: { offset, data: Buffer.alloc(elements * 4) } }));

/** Sends these bytes as the body of a call, and ends it. */
async function call(session: ClientHttp2Session, to: string, body: Buffer) {
  const stream = session.request({
    ':method': 'POST',
    ':path': to,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const seen: IncomingHttpHeaders = {};
  stream.on('response', (headers) => Object.assign(seen, headers));
  stream.on('trailers', (headers) => Object.assign(seen, headers));
  const received: Buffer[] = [];
  stream.on('data', (bytes: Buffer) => received.push(bytes));
  stream.end(body);
  await new Promise((resolve) => stream.once('close', resolve));
  const bytes = Buffer.concat(received);
  return {
    status: Number(seen['grpc-status']),
    message: decodeURIComponent(String(seen['grpc-message'] ?? '')),
    reply: bytes.length > 5 ? responseDeserialize(bytes.subarray(5)) : undefined,
  };
}

describe.each(['grpc', 'fast'] as const)('a %s server', (transport) => {
  test('a stream that ends in the middle of a message is refused', async () => {
    const { session, header, unchanged } = await start(transport);
    const whole = Buffer.concat([header, chunkOf(0, length)]);
    const headless = [3, header.length - 1];
    for (const cut of [...headless, header.length + 2, header.length + 420]) {
      const { status, message, reply } = await call(session, path, whole.subarray(0, cut));
      if (transport === 'fast')
        expect([status, message]).toEqual([3, 'the request ends in the middle of a message']);
      // grpc-js drops what is no whole message, so a push is too short.
      else if (headless.includes(cut)) expect([status, message]).toEqual([3, 'a push without any message']);
      else expect(reply?.reason).toBe(`the gradient has 0 elements; shard 0 has ${length}`);
    }
    await unchanged();
  });

  test('a stream that is broken off leaves nothing behind', async () => {
    const { session, header, unchanged } = await start(transport);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    await new Promise((resolve) => stream.write(Buffer.concat([header, chunkOf(0, 1000)]), resolve));
    stream.close(8);
    await unchanged();
  });

  test('a method or a version of the contract that the server does not know is refused by name', async () => {
    const { session, header, unchanged } = await start(transport);
    for (const unknown of ['/tributary.v2.ParameterServer/Push', '/tributary.v1.ParameterServer/Shove']) {
      const found = await call(session, unknown, header);
      expect(found.status).toBe(12);
      expect(found.message).toContain(unknown);
    }
    await unchanged();
  });
});
