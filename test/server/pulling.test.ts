import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { PullHeader } from '@tributary/client/transport/messages.ts';
import { parameterService, type Received } from '@tributary/client/transport/parameterService.ts';
import { expect, onTestFinished, test } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

const spec = testSpec({ ranks: 2 });
const { length } = spec.layout;
const push = (rank: number, step: number) => pushOf(rank, step, gradientOf(rank, step, length));

test('a pull waits for the step to begin, wherever the last push comes from', async () => {
  const cluster = await TestCluster.start(spec, 2);
  const [reader, writer] = [cluster.client(), cluster.client()];
  const pulled = reader.pull(1, new Float32Array(length));
  await writer.push(push(0, 0));
  await writer.push(push(1, 0));
  expect(await pulled).toMatchObject({ ready: true, versions: [1, 1], clock: 1 });
});

test('a rank that moved in the middle of a step gets the parameters that the step began from', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const [before, again] = [new Float32Array(length), new Float32Array(length)];
  await client.push(push(0, 0));
  await client.push(push(1, 0));
  await client.pull(1, before);
  await client.push(push(0, 1));
  await client.push(push(1, 1));
  expect(await client.pull(1, again)).toMatchObject({ ready: true, versions: [1], clock: 2 });
  expect(sameBits(again, before)).toBe(true);
  await expect(client.pull(0, again)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('the parameters of step 0 are gone; the shard is at step 2'),
  });
});

test('a pull that is cancelled leaves nothing waiting', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const controller = new AbortController();
  const pulled = client.pull(1, new Float32Array(length), { signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await expect(pulled).rejects.toMatchObject({ code: 'CANCELLED' });
  await client.push(push(0, 0));
  expect(await client.push(push(1, 0))).toMatchObject({ outcome: 'applied' });
});

test('a step after the end is answered at once: nothing to do', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 2, steps: 1 }), 2);
  const client = cluster.client();
  expect(await client.pull(1, new Float32Array(length))).toMatchObject({
    ready: false,
    clock: 0,
    endStep: 1,
  });
  await client.push(push(0, 0));
  await client.push(push(1, 0));
  expect(await client.pull(1, new Float32Array(length))).toMatchObject({
    ready: false,
    clock: 1,
    endStep: 1,
  });
  expect(await client.pullLatest(new Float32Array(length))).toMatchObject({ ready: true, versions: [1, 1] });
});

test('the end is never set before a step that a rank may have begun, and wakes those that wait', async () => {
  const cluster = await TestCluster.start(spec, 2);
  const client = cluster.client();
  await client.push(push(0, 0));
  await client.push(push(1, 0));
  const waiting = client.pull(2, new Float32Array(length));
  expect(await client.endAt(0)).toBe(2);
  expect(await waiting).toMatchObject({ ready: false, endStep: 2 });
  expect(await client.endAt(1000)).toBe(spec.steps);
  expect(await client.endAt(2)).toBe(2);
  await client.push(push(0, 1));
  await client.push(push(1, 1));
  // It is reached: nobody begins anything, so it stays.
  expect(await client.endAt(0)).toBe(2);
});

test('40 MB travel in chunks through every limit, both ways', async () => {
  const large = 10_000_000;
  const layout = { tensors: [{ name: 'w', shape: [large], offset: 0, length: large }], length: large };
  const cluster = await TestCluster.start(testSpec({ ranks: 1, layout }), 1);
  const client = cluster.client();
  const gradient = Float32Array.from({ length: large }, (_, index) => index % 1000);
  expect(await client.push(pushOf(0, 0, gradient, { weight: 1 }))).toMatchObject({ outcome: 'applied' });
  const parameters = new Float32Array(large);
  await client.pull(1, parameters);
  for (let index = 0; index < large; index++) gradient[index] = 0 - gradient[index] / 2;
  expect(sameBits(parameters, gradient)).toBe(true);
});

test('what a slow reader gets is one version, however many updates pass it by', async () => {
  const large = 5_000_000;
  const layout = { tensors: [{ name: 'w', shape: [large], offset: 0, length: large }], length: large };
  const cluster = await TestCluster.start(testSpec({ ranks: 1, staleness: null, layout }), 1);
  const client = cluster.client();
  const gradient = new Float32Array(large).fill(1);
  await client.push(pushOf(0, 0, gradient));

  const slow = new Client(cluster.servers[0].address, credentials.createInsecure());
  onTestFinished(() => slow.close());
  const { path, requestSerialize, responseDeserialize } = parameterService.Pull;
  const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
  const request = {
    target,
    step: 0,
    latest: true,
    waitMs: 0,
    changedOnly: false,
    average: false,
    since: 0,
    encoding: 'F32',
  };
  const options = { deadline: Date.now() + 30_000 };
  const call = slow.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    new Metadata(),
    options,
  );
  const values = new Float32Array(large);
  const bytes = new Uint8Array(values.buffer);
  let header: PullHeader | undefined;
  for await (const message of call as AsyncIterable<Received<PullHeader>>) {
    if ('malformed' in message) throw message.malformed;
    if ('header' in message) header = message.header;
    else {
      bytes.set(message.chunk.data, message.chunk.offset * 4);
      // The rest is read only after three updates.
      for (let step = 1; step <= 3 && message.chunk.offset === 0; step++)
        await client.push(pushOf(0, step, gradient));
    }
  }
  expect(header).toMatchObject({ version: 1, length: large });
  // Each update subtracts 0.5 times the mean of 1/2.
  expect(values.every((value) => value === -0.25)).toBe(true);
  await client.pullLatest(values);
  expect(values.every((value) => value === -1)).toBe(true);
});
