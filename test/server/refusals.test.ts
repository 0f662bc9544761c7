import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { PushHeader, PushReply } from '@tributary/client/transport/messages.ts';
import { parameterService } from '@tributary/client/transport/parameterService.ts';
import type { Transport } from '@tributary/client/transport/transport.ts';
import { errorCodes } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gradientOf, pushOf, TestCluster, testSpec } from './testCluster.ts';

const spec = testSpec({ ranks: 4 });
const { length } = spec.layout;

interface Pushed extends PushReply {
  /** Of the status: by name, and what it says. Only if the call failed. */
  readonly code?: string;
  readonly details?: string;
}

/** Sends exactly these bytes as the messages of one push. */
async function startRaw(transport: Transport) {
  const cluster = await TestCluster.start(spec, 1, { transport });
  const client = new Client(cluster.servers[0].address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const { path, responseDeserialize } = parameterService.Push;
  const header = (change: Partial<PushHeader> = {}) =>
    parameterService.Push.requestSerialize({
      header: {
        target: { jobHash: cluster.hash, generation: 1, shard: 0 },
        rankBegin: 0,
        rankEnd: 1,
        step: 0,
        tokens: [1],
        weight: 2,
        loss: 1,
        squares: 0,
        encoding: 'F32',
        version: 0,
        ...change,
      },
    });
  const push = (...messages: Buffer[]): Promise<Partial<Pushed>> =>
    new Promise((resolve) => {
      const call = client.makeClientStreamRequest(
        path,
        (bytes: Buffer) => bytes,
        responseDeserialize,
        new Metadata(),
        { deadline: Date.now() + 20_000 },
        (error: ServiceError | null, reply?: PushReply) => {
          const code = Object.entries(errorCodes).find(([, number]) => number === error?.code)?.[0];
          resolve(error === null ? reply! : { code: code ?? '', details: error.details });
        },
      );
      for (const message of messages) call.write(message);
      call.end();
    });
  return { cluster, header, push };
}

const chunk = (offset: number, elements: number) =>
  parameterService.Push.requestSerialize({ chunk: { offset, data: Buffer.alloc(elements * 4) } });
const invalid = (details: string) => ({
  code: 'INVALID_ARGUMENT',
  details: expect.stringContaining(details),
});

describe.each(['grpc', 'fast'] as const)('a %s server', (transport) => {
  test('streams that are no push are refused, each with its reason, and the shard is unchanged', async () => {
    const { cluster, header, push } = await startRaw(transport);
    expect(await push()).toEqual(invalid('a push without any message'));
    expect(await push(chunk(0, length))).toEqual(invalid('the first message of a push must be its header'));
    expect(await push(Buffer.from([0x12, 0x7f]))).toEqual(
      invalid('a message is not protobuf: it ends in the middle of a field'),
    );
    expect(await push(Buffer.from([0x0a, 0x01, 0x0a]))).toEqual(invalid('a header is not protobuf'));
    expect(await push(header(), header())).toEqual(invalid('a second header'));
    expect(await push(header(), Buffer.from([0xff]))).toEqual(invalid('not protobuf'));
    expect(await push(header(), chunk(0, 100), chunk(200, 100))).toEqual(
      invalid('elements 100 to 199 are missing'),
    );
    expect(await push(header(), chunk(100, 100), chunk(0, 100))).toEqual(
      invalid('elements 0 to 99 are missing'),
    );
    expect(await push(header(), chunk(0, 100), chunk(50, 100))).toEqual(
      invalid('a chunk came at element 50, after 100 elements'),
    );
    expect(await push(header(), chunk(0, 100), chunk(0, 100))).toEqual(
      invalid('a chunk came at element 0, after 100 elements'),
    );
    const odd = parameterService.Push.requestSerialize({ chunk: { offset: 0, data: Buffer.alloc(6) } });
    expect(await push(header(), odd)).toEqual(invalid('has 6 bytes, which are no whole float32 elements'));
    expect(await push(header(), chunk(0, limits.chunkBytes / 4 + 1))).toEqual(
      invalid('at most 1048576 are accepted'),
    );
    expect(await push(header({ weight: 0 }), chunk(0, length))).toEqual(invalid('although the weight is 0'));
    const client = cluster.client();
    expect(await client.describe()).toMatchObject([
      { rejected: 0, shards: [{ version: 0, clocks: [0, 0, 0, 0] }] },
    ]);
  });

  test('headers that no correct sender makes are refused, each with its reason', async () => {
    const { header, push } = await startRaw(transport);
    const target = { jobHash: '', generation: 1, shard: 0 };
    const given: [Partial<PushHeader>, string][] = [
      [{ target: null as never }, 'the request has no target'],
      [
        { rankBegin: 1, rankEnd: 3, tokens: [1, 1] },
        'ranks [1, 3) are no node of the reduction tree over 4 ranks',
      ],
      [{ rankBegin: 4, rankEnd: 5 }, 'ranks [4, 5) are no node'],
      [{ rankBegin: 1, rankEnd: 1, tokens: [] }, 'ranks [1, 1) are no node'],
      [{ tokens: [] }, '0 fencing tokens came for the 1 ranks [0, 1)'],
      [{ weight: -1 }, 'the weight is -1'],
      [{ weight: Number.POSITIVE_INFINITY }, 'the weight is Infinity'],
      [{ squares: Number.NaN }, 'the sum of squares is NaN'],
      [{ encoding: 7 as never }, 'the encoding is 7; this job takes F32'],
    ];
    for (const [change, reason] of given)
      expect(await push(header(change), chunk(0, length))).toEqual(invalid(reason));
    expect(await push(header({ target }))).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  test('a gradient of a wrong length is rejected, and does not count against the job', async () => {
    const { cluster, header, push } = await startRaw(transport);
    expect(await push(header(), chunk(0, 100))).toMatchObject({
      outcome: 'REJECTED',
      reason: `the gradient has 100 elements; shard 0 has ${length}`,
    });
    expect(await push(header(), chunk(0, length), chunk(length, 1))).toMatchObject({
      outcome: 'REJECTED',
      reason: `the gradient has more than ${length} elements; shard 0 has ${length}`,
    });
    expect(await push(header())).toMatchObject({ outcome: 'REJECTED' });
    expect(await cluster.client().describe()).toMatchObject([{ rejected: 0, outcomes: { rejected: 3 } }]);
  });
});

test('another job, an older generation and a shard that is elsewhere are refused; a newer generation is waited for', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const vector = new Float32Array(length);
  const refused = (code: string, message: string) => ({ code, message: expect.stringContaining(message) });

  const other = cluster.client({ jobHash: 'f'.repeat(64) });
  const wrongJob = refused(
    'FAILED_PRECONDITION',
    `this server works for job ${cluster.hash}, not for ${'f'.repeat(64)}`,
  );
  await expect(other.pull(0, vector)).rejects.toMatchObject(wrongJob);
  await expect(other.push(pushOf(0, 0, vector))).rejects.toMatchObject(wrongJob);
  await expect(other.describe()).rejects.toMatchObject(wrongJob);
  await expect(other.endAt(1)).rejects.toMatchObject(wrongJob);
  await expect(other.checkpointPart(0, 0, 0)).rejects.toMatchObject(wrongJob);
  await expect(other.blockSquares(0, 0)).rejects.toMatchObject(wrongJob);

  const older = cluster.client({ generation: 0 });
  await expect(older.push(pushOf(0, 0, vector))).rejects.toMatchObject(
    refused('FAILED_PRECONDITION', 'generation 0 is over'),
  );
  await expect(older.describe()).rejects.toMatchObject(
    refused('FAILED_PRECONDITION', 'it serves generation 1, not 0'),
  );

  const newer = cluster.client({ generation: 2, retryTotalMs: 0 });
  await expect(newer.pull(0, vector)).rejects.toMatchObject(
    refused('UNAVAILABLE', 'generation 2 is not loaded yet'),
  );
  await expect(newer.describe()).rejects.toMatchObject(
    refused('UNAVAILABLE', 'it serves generation 1, not 2'),
  );

  const { shards } = cluster.placement;
  cluster.placement = { ...cluster.placement, shards: [shards[0], shards[0]] };
  await expect(cluster.client().checkpointPart(1, 0, 0)).rejects.toMatchObject(
    refused('NOT_FOUND', 'shard 1 is not here; this server holds 0'),
  );
});

test('a step that the rank cannot have begun, or that is not part of the job, is refused', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 1, steps: 1 }), 1);
  const client = cluster.client();
  await expect(client.push(pushOf(0, 1, gradientOf(0, 1, length)))).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('rank 0 cannot have begun step 1: it has completed 0 steps here'),
  });
  await client.push(pushOf(0, 0, gradientOf(0, 0, length)));
  await expect(client.push(pushOf(0, 1, gradientOf(0, 1, length)))).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('step 1 is not part of the job: it stops at step 1'),
  });
});
