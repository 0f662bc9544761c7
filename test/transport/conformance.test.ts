import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FastChannel } from '@tributary/client/transport/fast/FastChannel.ts';
import { GrpcChannel } from '@tributary/client/transport/GrpcChannel.ts';
import { openChannel } from '@tributary/client/transport/openChannel.ts';
import type { Transport } from '@tributary/client/transport/transport.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from '../server/testCluster.ts';

/* What every client and server promise each other, over every pair of the endpoints and over both kinds of sockets. */

const pairs: [client: Transport, server: Transport, place: 'TCP' | 'Unix'][] = [];
for (const client of ['grpc', 'fast'] as const)
  for (const server of ['grpc', 'fast'] as const)
    for (const place of ['TCP', 'Unix'] as const) pairs.push([client, server, place]);

async function start(
  server: Transport,
  place: 'TCP' | 'Unix',
  length: number,
  change: Parameters<typeof testSpec>[0] = {},
) {
  let bind = '127.0.0.1:0';
  if (place === 'Unix') {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    bind = `unix:${join(folder, 'server.sock')}`;
  }
  const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };
  const initial = Float32Array.from({ length }, (_, index) => Math.cos(index));
  const cluster = await TestCluster.start(testSpec({ ranks: 1, layout, ...change }), 1, {
    initial,
    transport: server,
    bind,
  });
  return { cluster, initial };
}

describe.each(pairs)('a %s client and a %s server over %s', (transport, server, place) => {
  // Around what is copied, around chunks, around windows; and not all of them multiples of anything.
  test.each([1, 8191, 8193, 262_145, 2_500_001])('%i elements come and go, bit for bit', async (length) => {
    const { cluster, initial } = await start(server, place, length);
    const client = cluster.client({ transport });
    const parameters = new Float32Array(new SharedArrayBuffer(length * 4));
    await client.pull(0, parameters);
    expect(sameBits(parameters, initial)).toBe(true);
    const gradient = gradientOf(0, 0, length);
    expect((await client.push(pushOf(0, 0, gradient))).outcome).toBe('applied');
    expect((await client.push(pushOf(0, 0, gradient))).outcome).toBe('duplicate');
    expect(await client.pull(1, parameters)).toMatchObject({ ready: true, versions: [1] });
    const expected = initial.map((value, index) => value - 0.5 * Math.fround(gradient[index] / 2));
    expect(sameBits(parameters, expected)).toBe(true);
    expect((await client.push(pushOf(0, 1, undefined, { weight: 0 }))).outcome).toBe('applied');
  });

  test('sums over ranks come back whole', async () => {
    const { cluster } = await start(server, place, 10, { ranks: 2 });
    const client = cluster.client({ transport });
    const vectors = [gradientOf(0, 0, 400_001), gradientOf(1, 0, 400_001)];
    const totals = await Promise.all(
      vectors.map(async (values, rank) => {
        const into = new Float32Array(values.length);
        const ranks = { begin: rank, end: rank + 1 };
        const result = await client.reduce(
          { ranks, step: 0, round: 0, tokens: [1], weight: 1, loss: rank, values },
          into,
        );
        expect(result).toEqual({ outcome: 'summed', weight: 2, loss: 1 });
        return into;
      }),
    );
    const sum = vectors[0].map((value, index) => value + vectors[1][index]);
    for (const total of totals) expect(sameBits(total, sum)).toBe(true);
  });

  test('refusals come with their code and words', async () => {
    const { cluster } = await start(server, place, 1000);
    const channel = openChannel(cluster.servers[0].address, transport);
    onTestFinished(() => channel.close());
    expect(channel).toBeInstanceOf(transport === 'fast' ? FastChannel : GrpcChannel);
    const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
    const limits = { deadlineMs: 10_000 };
    const receiver = { place: () => undefined, add: () => {} };
    const pull = {
      target,
      step: 0,
      latest: false,
      changedOnly: false,
      average: false,
      since: 0,
      encoding: 'F32',
      waitMs: 0,
    };
    await expect(
      channel.pull({ ...pull, target: { ...target, shard: 7 } }, receiver, limits),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(`server ${channel.address}: `),
    });
    const other = cluster.client({ transport, jobHash: 'é'.repeat(64) });
    await expect(other.push(pushOf(0, 0, new Float32Array(1000)))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('é'),
    });
    await expect(
      channel.unary('EndAt', { target: { ...target, shard: 7 }, step: 1 }, limits),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const header = {
      ...{
        target,
        rankBegin: 0,
        rankEnd: 1,
        step: 0,
        tokens: [1],
        weight: 1,
        loss: 0,
        squares: 0,
        encoding: 'F32',
        version: 0,
      },
    };
    const short = Buffer.alloc(40_000);
    for (const chunks of [[{ offset: 5, data: short }], [{ offset: 0, data: short.subarray(0, 7) }]])
      await expect(channel.push(header, chunks, limits)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const tooLong = Array.from({ length: 200 }, (_, index) => ({ offset: index * 10_000, data: short }));
    expect(await channel.push(header, tooLong, limits)).toMatchObject({ outcome: 'REJECTED' });
    // And after all this the connection works.
    const whole = [{ offset: 0, data: short.subarray(0, 4000) }];
    expect(await channel.push(header, whole, limits)).toMatchObject({ outcome: 'APPLIED' });
  });

  test('a call that its caller or its deadline ends leaves the server and the connection as they were', async () => {
    const length = 2_500_000;
    const { cluster, initial } = await start(server, place, length);
    const client = cluster.client({ transport });
    const channel = openChannel(cluster.servers[0].address, transport);
    onTestFinished(() => channel.close());
    const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
    const receiver = { place: () => undefined, add: () => {} };
    const waiting = {
      target,
      step: 1,
      latest: false,
      changedOnly: false,
      average: false,
      since: 0,
      encoding: 'F32',
      waitMs: 60_000,
    };
    await expect(channel.pull(waiting, receiver, { deadlineMs: 50 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });

    const stop = new AbortController();
    const header = {
      ...{
        target,
        rankBegin: 0,
        rankEnd: 1,
        step: 0,
        tokens: [1],
        weight: 1,
        loss: 0,
        squares: 0,
        encoding: 'F32',
        version: 0,
      },
    };
    const gradient = Buffer.from(gradientOf(0, 0, length).buffer);
    function* halfway() {
      // More chunks than grpc-js takes at once: or all would be on their way before the caller gives up.
      for (let at = 0; at < gradient.length; at += 1 << 18) {
        if (at > gradient.length / 2) stop.abort();
        yield { offset: at / 4, data: gradient.subarray(at, at + (1 << 18)) };
      }
    }
    const pushed = channel.push(header, halfway(), { deadlineMs: 20_000, signal: stop.signal });
    await expect(pushed).rejects.toMatchObject({ code: 'CANCELLED' });
    gradient.fill(0);

    const cut = new AbortController();
    const seen = new Float32Array(length);
    const cutting = {
      place: (offset: number, bytes: number) => new Uint8Array(seen.buffer, offset * 4, bytes),
      add: () => cut.abort(),
    };
    const pull = {
      target,
      step: 0,
      latest: true,
      changedOnly: false,
      average: false,
      since: 0,
      encoding: 'F32',
      waitMs: 0,
    };
    const limits = { deadlineMs: 20_000, signal: cut.signal };
    await expect(channel.pull(pull, cutting, limits)).rejects.toMatchObject({ code: 'CANCELLED' });

    const parameters = new Float32Array(length);
    expect(await client.pull(0, parameters)).toMatchObject({ ready: true, versions: [0] });
    expect(sameBits(parameters, initial)).toBe(true);
    expect((await client.describe())[0].outcomes).toMatchObject({ applied: 0, rejected: 0 });
    expect(
      await channel.push(header, [{ offset: 0, data: new Uint8Array(0) }], { deadlineMs: 9000 }),
    ).toMatchObject({ outcome: 'REJECTED' });
  });
});
