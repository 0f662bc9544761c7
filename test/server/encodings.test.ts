import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { EncodedGradient } from '@tributary/client/ParameterClient.ts';
import type { PullHeader } from '@tributary/client/transport/messages.ts';
import { parameterService, type Received } from '@tributary/client/transport/parameterService.ts';
import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import { codecs } from '@tributary/core/codec/table.ts';
import type { EncodedRun, JobSpec } from '@tributary/core/job/JobSpec.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import type { TensorOptions } from '@tributary/core/layout/segments.ts';
import { addInto } from '@tributary/core/reduction/TreeSum.ts';
import { expect, onTestFinished, test } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

const { layout } = testSpec();
const { length } = layout;
const throughout = (name: string): EncodedRun[] => [{ begin: 0, end: length, codec: { name } }];
const mixed: EncodedRun[] = [
  { begin: 0, end: 1500, codec: { name: 'topk', options: { density: 0.1 } } },
  { begin: 1500, end: 2500, codec: { name: 'int8' } },
];
const jobs: [string, EncodedRun[]][] = [
  ...Object.keys(codecs).map((name): [string, EncodedRun[]] => [name, throughout(name)]),
  ['an encoding for each tensor', mixed],
];

/** Encoded, and what of it arrives. */
function encode(
  runs: EncodedRun[],
  gradient: Float32Array,
  { step = 0, tensors = [] as TensorOptions[] } = {},
): EncodedGradient & { decoded: Float32Array } {
  const job = new JobEncoding({ layout, encoding: runs, tensors });
  const encoding = job.at(step);
  const bytes = new Uint8Array(encoding.bytes);
  const decoded = new Float32Array(length);
  for (const { begin, end, codec, at, bytes: size } of encoding.pieces({ begin: 0, end: length })) {
    plainKernels.encode(codec, gradient.slice(begin, end), bytes.subarray(at, at + size));
    plainKernels.decode(codec, bytes.subarray(at, at + size), decoded.subarray(begin, end));
  }
  return { name: job.name, encoding, bytes, decoded };
}

test.each(jobs)(
  '%s: a step is that of the decoded gradients, the same bits on any number of servers',
  async (_, encoding) => {
    const found: Float32Array[] = [];
    for (const servers of [1, 2, 3]) {
      const cluster = await TestCluster.start(testSpec({ ranks: 2, encoding }), servers);
      const traffic = { pushedBytes: 0, pulledBytes: 0 };
      const client = cluster.client({ traffic });
      for (const rank of [0, 1])
        await client.push(pushOf(rank, 0, encode(encoding, gradientOf(rank, 0, length))));
      const parameters = new Float32Array(length);
      await client.pull(1, parameters);
      found.push(parameters);
      expect(traffic.pushedBytes).toBe(2 * new JobEncoding({ layout, encoding }).at(0).bytes);
    }
    const [first, second] = [0, 1].map((rank) => encode(encoding, gradientOf(rank, 0, length)).decoded);
    addInto(first, second);
    const expected = first.map((value) => 0 - 0.5 * Math.fround(value / 4));
    for (const parameters of found) expect(sameBits(parameters, expected)).toBe(true);
  },
);

test.each(jobs)(
  '%s: what is frozen does not travel, and what thaws has blocks of its own',
  async (_, encoding) => {
    // The border lies within a block, and in the first of two shards.
    const tensors = [{ name: 'second', frozenUntil: 1 }];
    const cluster = await TestCluster.start(testSpec({ ranks: 1, encoding, tensors }), 2);
    const client = cluster.client();
    const expected = new Float32Array(length);
    for (const step of [0, 1]) {
      const encoded = encode(encoding, gradientOf(0, step, length), { step, tensors });
      expect(await client.push(pushOf(0, step, encoded))).toMatchObject({ outcome: 'applied' });
      expect(encoded.decoded.subarray(1500).some((value) => value !== 0)).toBe(step === 1);
      for (const [index, value] of encoded.decoded.entries())
        expected[index] -= Math.fround(0.5 * Math.fround(value / 2));
    }
    const parameters = new Float32Array(length);
    await client.pull(2, parameters);
    expect(parameters).toEqual(expected.map((value) => value + 0));
  },
);

test('a gradient that is not encoded is always welcome', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 1, encoding: mixed }), 2);
  const client = cluster.client();
  expect(await client.push(pushOf(0, 0, gradientOf(0, 0, length)))).toMatchObject({ outcome: 'applied' });
});

test.each(['bf16', 'f16'] as const)(
  'parameters are pulled as %s, in half the bytes, and are kept in float32',
  async (name) => {
    const initial = gradientOf(3, 3, length);
    const cluster = await TestCluster.start(testSpec({ ranks: 1 }), 2, { initial });
    const traffic = { pushedBytes: 0, pulledBytes: 0 };
    const client = cluster.client({ pullEncoding: name, traffic });
    const [rounded, exact] = [new Float32Array(length), new Float32Array(length)];
    await client.pull(0, rounded);
    expect(traffic.pulledBytes).toBe(2 * length);
    expect(sameBits(rounded, encode(throughout(name), initial).decoded)).toBe(true);
    await cluster.client().pull(0, exact);
    expect(sameBits(exact, initial)).toBe(true);
  },
);

/** Sends chunks as they are given, in an encoding of the contract. */
async function startRaw(change: Partial<JobSpec>) {
  const cluster = await TestCluster.start(testSpec({ ranks: 1, ...change }), 1);
  const client = new Client(cluster.servers[0].address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
  const options = { deadline: Date.now() + 20_000 };
  const push = (encoding: string, ...chunks: [offset: number, bytes: number | Uint8Array][]) =>
    new Promise((resolve) => {
      const { path, requestSerialize, responseDeserialize } = parameterService.Push;
      const call = client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        new Metadata(),
        options,
        (error: ServiceError | null, reply) => resolve(error?.details ?? reply),
      );
      const ranks = { rankBegin: 0, rankEnd: 1, tokens: [1] };
      const header = { target, ...ranks, step: 0, weight: 2, loss: 1, squares: 0, encoding, version: 0 };
      call.write({ header });
      for (const [offset, data] of chunks)
        call.write({ chunk: { offset, data: typeof data === 'number' ? new Uint8Array(data) : data } });
      call.end();
    });
  const pull = async (encoding: string) => {
    const { path, requestSerialize, responseDeserialize } = parameterService.Pull;
    const request = {
      target,
      step: 0,
      latest: false,
      waitMs: 0,
      changedOnly: false,
      average: false,
      since: 0,
      encoding,
    };
    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
      options,
    );
    const messages: Received<PullHeader>[] = [];
    try {
      for await (const message of call) messages.push(message);
    } catch (error) {
      return (error as ServiceError).details;
    }
    return messages;
  };
  return { cluster, push, pull };
}

test('an encoding that the job has not, or that nobody has, is refused by name', async () => {
  const { push, pull } = await startRaw({ encoding: throughout('int8') });
  expect(await push('BF16', [0, 2 * length])).toBe('the encoding is BF16; this job takes F32 or INT8');
  expect(await push(9 as never, [0, 2 * length])).toBe('the encoding is 9; this job takes F32 or INT8');
  expect(await pull('INT8')).toContain('the encoding is INT8; parameters can be pulled as F32, BF16, F16');
  const plain = await startRaw({});
  expect(await plain.push('TOPK', [0, 66])).toBe('the encoding is TOPK; this job takes F32');
});

test('encoded chunks out of order, in part, beyond the shard, malformed: refused, and the shard is unchanged', async () => {
  const { cluster, push } = await startRaw({ encoding: throughout('topk') });
  const block = (...places: number[]) => {
    const bytes = new Uint8Array(66);
    new Uint16Array(bytes.buffer, 0, 11).set(
      places.length === 0 ? Array.from({ length: 11 }, (_, place) => place) : places,
    );
    return bytes;
  };
  const two = new Uint8Array([...block(), ...block()]);
  // 452 elements are left after two blocks; 5 of them are sent.
  const rest = new Uint8Array([0, 0, 1, 0, 2, 0, 3, 0, 4, 0, ...new Array(20).fill(0)]);
  expect(await push('TOPK', [0, block()], [2048, rest])).toBe('elements 1024 to 2047 are missing');
  expect(await push('TOPK', [0, two], [1024, block()])).toBe(
    'a chunk came at element 1024, after 2048 elements',
  );
  const misfit = (offset: number, bytes: number) =>
    `the chunk at element ${offset} has ${bytes} bytes, which are no whole blocks of its encoding`;
  expect(await push('TOPK', [0, 65])).toBe(misfit(0, 65));
  expect(await push('TOPK', [0, 0])).toBe(misfit(0, 0));
  expect(await push('TOPK', [0, 66 * 3])).toBe(misfit(0, 66 * 3));
  expect(await push('TOPK', [0, two], [2048, 66])).toBe(misfit(2048, 66));
  expect(await push('TOPK', [0, block(5, 4)])).toBe('the chunk at element 0 is malformed: it is no topk');
  expect(await push('TOPK', [0, two])).toMatchObject({
    outcome: 'REJECTED',
    reason: 'the gradient has 2048 elements; shard 0 has 2500',
  });
  expect(await push('TOPK', [0, two], [2048, rest], [2500, rest])).toMatchObject({
    outcome: 'REJECTED',
    reason: 'the gradient has more than 2500 elements; shard 0 has 2500',
  });
  expect(await cluster.client().describe()).toMatchObject([
    { rejected: 0, shards: [{ version: 0, clocks: [0] }] },
  ]);
  expect(await push('TOPK', [0, two], [2048, rest])).toMatchObject({ outcome: 'APPLIED' });
});

test('what decodes to infinity or NaN is rejected with its tensor and element', async () => {
  const { push } = await startRaw({ encoding: throughout('bf16') });
  const bytes = new Uint8Array(2 * 2048);
  bytes.set([0x80, 0x7f], 2 * 1600);
  expect(await push('BF16', [0, bytes], [2048, 2 * 452])).toMatchObject({
    outcome: 'REJECTED',
    reason: 'the gradient of rank 0 at step 0 is Infinity in tensor "second", element 100',
  });
});
