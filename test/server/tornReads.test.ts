import { crc32 } from 'node:zlib';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { PullHeader } from '@tributary/client/transport/messages.ts';
import { parameterService, type Received } from '@tributary/client/transport/parameterService.ts';
import type { Transport } from '@tributary/client/transport/transport.ts';
import { expect, onTestFinished, test } from 'vitest';
import { pushOf, TestCluster, testSpec } from './testCluster.ts';

/*
 * What a pull sends is one version, whole. Every element changes with every update, to a number that only that version has there, and each
 * version is known by a checksum. Readers stop after every chunk until some updates have passed them by, and check what they got at the end.
 */
const length = 1_200_000;
const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };

/** Whole numbers below 256, so that bfloat16 holds them exactly. */
const elementOf = (index: number, version: number) => (index % 151) - version;

function checksumOf(version: number, encoding: string): number {
  const values = Float32Array.from({ length }, (_, index) => elementOf(index, version));
  if (encoding === 'F32') return crc32(new Uint8Array(values.buffer));
  return crc32(new Uint8Array(new Uint16Array(values.buffer).filter((_, half) => half % 2 === 1).buffer));
}

const cases: [server: Transport, encoding: string, mode: string, staleness: number | null][] = [];
for (const server of ['grpc', 'fast'] as const)
  for (const encoding of ['F32', 'BF16'])
    for (const [mode, staleness] of [['synchronous', 0] as const, ['asynchronous', null] as const])
      cases.push([server, encoding, mode, staleness]);

test.each(cases)(
  'a %s server, %s, %s: every reader gets one version, whatever passes it by',
  async (transport, encoding, _, staleness) => {
    const spec = testSpec({ ranks: 1, staleness, layout, checkpointEverySteps: 5 });
    const initial = Float32Array.from({ length }, (_, index) => elementOf(index, 0));
    const cluster = await TestCluster.start(spec, 1, { initial, transport });
    const writer = cluster.client();
    // At a learning rate of 0.5 and two examples, one off every element.
    const gradient = new Float32Array(length).fill(4);
    let updates = 0;
    let last: Promise<unknown> = Promise.resolve();
    const update = () => {
      const step = updates++;
      last = last.then(async () => {
        expect(await writer.push(pushOf(0, step, gradient))).toMatchObject({ outcome: 'applied' });
      });
      return last;
    };

    const { path, requestSerialize, responseDeserialize } = parameterService.Pull;
    const read = async (reader: number) => {
      const client = new Client(cluster.servers[0].address, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.max_receive_message_length': -1,
      });
      onTestFinished(() => client.close());
      const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
      const request = {
        target,
        step: 0,
        latest: true,
        changedOnly: false,
        average: false,
        since: 0,
        waitMs: 0,
        encoding,
      };
      const call = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + 60_000 },
      );
      let checksum = 0;
      let header: PullHeader | undefined;
      let chunks = 0;
      for await (const message of call as AsyncIterable<Received<PullHeader>>) {
        if ('malformed' in message) throw message.malformed;
        if ('header' in message) header = message.header;
        else {
          checksum = crc32(message.chunk.data, checksum);
          for (let passing = (reader + ++chunks) % 4; passing > 0; passing--) await update();
        }
      }
      return { version: header!.version, checksum };
    };

    const got: { version: number; checksum: number }[] = [];
    for (let round = 0; round < 2; round++) {
      await update();
      got.push(...(await Promise.all([0, 1, 2].map(read))));
    }
    expect(updates).toBeGreaterThan(20);
    for (const { version, checksum } of got)
      expect([version, checksum]).toEqual([version, checksumOf(version, encoding)]);
    // The readers of a round began with what was newest then.
    expect(new Set(got.map(({ version }) => version)).size).toBeGreaterThan(1);
  },
);
