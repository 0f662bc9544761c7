import type { ParameterClient } from '@tributary/client/ParameterClient.ts';
import { checkpointId } from '@tributary/core/checkpoint-format/checkpointId.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { expect, test, vi } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

const length = 6000;
const spec = testSpec({
  ranks: 2,
  steps: 6,
  checkpointEverySteps: 2,
  optimizer: { name: 'adam', hyperparameters: { learningRate: 0.01 } },
  layout: {
    tensors: [
      { name: 'a', shape: [50, 100], offset: 0, length: 5000 },
      { name: 'b', shape: [1000], offset: 5000, length: 1000 },
    ],
    length,
  },
});

async function trainStep(client: ParameterClient, step: number): Promise<void> {
  for (const rank of [0, 1]) await client.push(pushOf(rank, step, gradientOf(rank, step, length)));
}

async function parametersAt(client: ParameterClient, step: number): Promise<Float32Array> {
  const parameters = new Float32Array(length);
  expect(await client.pull(step, parameters)).toMatchObject({ ready: true });
  return parameters;
}

/** What the controller does once all shards are there. */
async function commit(cluster: TestCluster, client: ParameterClient, step: number) {
  const shards = cluster.placement.shards;
  const parts = await Promise.all(shards.map((_, shard) => client.checkpointPart(shard, step, 10_000)));
  expect(parts).toMatchObject(
    shards.map(() => ({ ready: true, error: '', updates: step, clocks: [step, step] })),
  );
  const id = checkpointId(cluster.placement.generation, step);
  return cluster.writer.commitParts(id, step, shards, parts, 0);
}

test('a checkpoint restores onto any number of servers, optimizer included: training goes on bit for bit', async () => {
  const cluster = await TestCluster.start(spec, 3);
  let client = cluster.client();
  for (let step = 0; step < 2; step++) await trainStep(client, step);
  const { id } = await commit(cluster, client, 2);
  for (let step = 2; step < 4; step++) await trainStep(client, step);
  const straight = await parametersAt(client, 4);

  await cluster.startServer();
  await cluster.startServer();
  for (const [generation, servers] of [
    [2, cluster.servers.slice(1, 3)],
    [3, cluster.servers],
  ] as const) {
    await cluster.place(generation, id, servers);
    client = cluster.client();
    expect((await client.describe()).flatMap((server) => server.shards)).toMatchObject(
      servers.map(() => ({ version: 2, clocks: [2, 2] })),
    );
    for (let step = 2; step < 4; step++) await trainStep(client, step);
    expect(sameBits(await parametersAt(client, 4), straight)).toBe(true);
  }
});

test('a part says that it is not there yet, waits if asked to, and is there at the end of the job too', async () => {
  const cluster = await TestCluster.start(testSpec({ ...spec, checkpointEverySteps: 0, steps: 1 }), 1);
  const client = cluster.client();
  expect(await client.checkpointPart(0, 1, 0)).toMatchObject({ ready: false });
  const waiting = client.checkpointPart(0, 1, 10_000);
  await trainStep(client, 0);
  expect(await waiting).toMatchObject({ ready: true, error: '', updates: 1, clocks: [1, 1] });
  expect(await client.checkpointPart(0, 0, 0)).toMatchObject({
    ready: true,
    error: 'there is no checkpoint of step 0',
  });
});

test('a checkpoint that cannot be written is told, and training goes on', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const full = new TributaryError('RESOURCE_EXHAUSTED', 'the disk is full', { hint: 'Free some space' });
  const putChunk = vi.spyOn(cluster.coordinator.checkpoints, 'putChunk').mockRejectedValue(full);
  for (let step = 0; step < 3; step++) await trainStep(client, step);
  expect(await client.checkpointPart(0, 2, 10_000)).toMatchObject({
    ready: true,
    chunks: [],
    error: 'the disk is full. Free some space',
  });
  expect(cluster.logged.filter(({ level }) => level === 'error')).toEqual([
    {
      level: 'error',
      message: 'shard 0: the checkpoint of step 2 could not be written: the disk is full. Free some space',
    },
  ]);
  putChunk.mockRestore();
  await trainStep(client, 3);
  expect(await client.checkpointPart(0, 4, 10_000)).toMatchObject({ ready: true, error: '' });
});

test('while the storage is away a checkpoint waits for it', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const away = new TributaryError('UNAVAILABLE', 'the coordinator is away');
  const put = vi.spyOn(cluster.coordinator.checkpoints, 'putChunk').mockRejectedValue(away);
  for (let step = 0; step < 2; step++) await trainStep(client, step);
  await expect.poll(() => put.mock.calls.length).toBeGreaterThan(2);
  expect(await client.checkpointPart(0, 2, 0)).toMatchObject({ ready: false });
  put.mockRestore();
  await commit(cluster, client, 2);
});

test('a generation that is over stops writing its checkpoint', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const put = vi
    .spyOn(cluster.coordinator.checkpoints, 'putChunk')
    .mockRejectedValue(new TributaryError('UNAVAILABLE', 'the coordinator is away'));
  for (let step = 0; step < 2; step++) await trainStep(client, step);
  await expect.poll(() => put.mock.calls.length).toBeGreaterThan(0);
  await cluster.place(2, cluster.placement.checkpoint);
  expect(await cluster.client().describe()).toMatchObject([{ generation: 2, shards: [{ version: 0 }] }]);
  expect(cluster.logged.filter(({ level }) => level === 'error')).toEqual([]);
});

test('while one checkpoint is being written the next is passed over, except the last', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const { checkpoints } = cluster.coordinator;
  const put = checkpoints.putChunk.bind(checkpoints);
  const gate = Promise.withResolvers<void>();
  vi.spyOn(checkpoints, 'putChunk').mockImplementation(async (...chunk) => {
    await gate.promise;
    await put(...chunk);
  });
  for (let step = 0; step < 2; step++) await trainStep(client, step);
  const at2 = await parametersAt(client, 2);
  for (let step = 2; step < 6; step++) await trainStep(client, step);
  expect(await client.checkpointPart(0, 4, 10_000)).toMatchObject({
    ready: true,
    error: 'step 4 was reached while an earlier checkpoint was still being written',
  });
  expect(await client.checkpointPart(0, 6, 0)).toMatchObject({ ready: false });
  gate.resolve();
  expect(await client.checkpointPart(0, 6, 10_000)).toMatchObject({ ready: true, error: '', updates: 6 });

  // What was written late is still what the shard was then.
  const { id } = await commit(cluster, client, 2);
  await cluster.place(2, id);
  expect(sameBits(await parametersAt(cluster.client(), 2), at2)).toBe(true);
});

test('a damaged checkpoint is not loaded: the server says why and serves nothing', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  for (let step = 0; step < 2; step++) await trainStep(client, step);
  const { id } = await commit(cluster, client, 2);
  await cluster.coordinator.checkpoints.putChunk(id, 2, new Uint8Array(24_000));
  await cluster.write({ generation: 2, checkpoint: id });
  await expect
    .poll(() => cluster.logged.filter(({ level }) => level === 'error'))
    .toMatchObject([
      { message: expect.stringContaining(`chunk 2 of checkpoint ${id} does not have the checksum`) },
    ]);
  await expect(cluster.client({ retryTotalMs: 0 }).describe()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
