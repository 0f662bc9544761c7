import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParameterClient, ParameterClientOptions } from '@tributary/client/ParameterClient.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { type RunningAggregator, startAggregator } from '@tributary/server/aggregator/AggregatorProcess.ts';
import { expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../client/TcpProxy.ts';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

/* Four workers of one host, one rank each, and an aggregator between them and the servers, whose traffic is counted. */

const ranks = [0, 1, 2, 3];
const length = 50_000;
const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };

async function start(servers: number, change: Partial<JobSpec> = {}) {
  const cluster = await TestCluster.start(testSpec({ layout, ...change }), servers);
  const proxies = await Promise.all(cluster.servers.map(({ address }) => TcpProxy.to(address)));
  onTestFinished(async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))));
  const shards = cluster.placement.shards.map((shard, index) => ({
    ...shard,
    address: proxies[index].address,
  }));
  await cluster.write({ shards });
  const folder = await mkdtemp(join(tmpdir(), 'tributary-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const bind = `unix:${join(folder, 'aggregator.sock')}`;
  const messages: string[] = [];
  const aggregator = await startAggregator({
    ...{ coordinator: cluster.coordinator, bind, transport: 'auto' as const },
    log: (_, message) => messages.push(message),
  });
  onTestFinished(() => aggregator.stop().catch(() => {}));
  const workers = (options: Partial<ParameterClientOptions> = {}) =>
    ranks.map(() => cluster.client({ aggregator: bind, ...options }));
  const traffic = () => ({
    sent: proxies.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
    answered: proxies.reduce((sum, { answeredBytes }) => sum + answeredBytes, 0),
  });
  await expect.poll(() => messages.length).toBeGreaterThan(0);
  return { cluster, aggregator, workers, traffic, messages };
}

const gathered = { gathered: true };

/** All ranks push `step` and pull the next. */
async function stepOf(workers: readonly ParameterClient[], step: number, parameters: Float32Array[]) {
  const outcomes = await Promise.all(
    workers.map((worker, rank) => worker.push(pushOf(rank, step, gradientOf(rank, step, length)), gathered)),
  );
  await Promise.all(workers.map((worker, index) => worker.pull(step + 1, parameters[index])));
  return outcomes.map(({ outcome }) => outcome);
}

/** The same without an aggregator. */
async function directly(
  servers: number,
  steps: number,
  change: Partial<JobSpec> = {},
): Promise<Float32Array> {
  const cluster = await TestCluster.start(testSpec({ layout, ...change }), servers);
  const clients = ranks.map(() => cluster.client());
  const parameters = ranks.map(() => new Float32Array(length));
  await clients[0].pull(0, parameters[0]);
  for (let step = 0; step < steps; step++) await stepOf(clients, step, parameters);
  return parameters[0];
}

test.each([1, 3])(
  'the network carries one gradient and one copy of the parameters a step, to the same bits, on %i servers',
  async (servers) => {
    const { cluster, workers, traffic } = await start(servers, { clipping: { norm: 0.7 } });
    const hosts = workers();
    const parameters = ranks.map(() => new Float32Array(length));
    await Promise.all(hosts.map((worker, index) => worker.pull(0, parameters[index])));
    // Who is there is learned in the first step.
    await stepOf(hosts, 0, parameters);
    const before = traffic();
    for (let step = 1; step < 6; step++)
      for (const outcome of await stepOf(hosts, step, parameters)) expect(outcome).toMatch(/applied|waiting/);
    const after = traffic();
    const bytes = 5 * length * 4;
    for (const way of ['sent', 'answered'] as const) {
      expect(after[way] - before[way]).toBeGreaterThan(bytes);
      expect(after[way] - before[way]).toBeLessThan(bytes * 1.1);
    }
    const expected = await directly(servers, 6, { clipping: { norm: 0.7 } });
    for (const found of parameters) expect(sameBits(found, expected)).toBe(true);
    const descriptions = await cluster.client().describe();
    for (const { outcomes } of descriptions) expect(outcomes.applied + outcomes.waiting).toBe(6);
  },
);

test('pulls in every encoding are shared', async () => {
  const { workers, traffic } = await start(1, { pullEncoding: { name: 'delta' } } as Partial<JobSpec>);
  const parameters = ranks.map(() => new Float32Array(length));
  const hosts = workers({ pullEncoding: 'delta' });
  await Promise.all(hosts.map((worker, index) => worker.pull(0, parameters[index])));
  for (let step = 0; step < 2; step++) await stepOf(hosts, step, parameters);
  const before = traffic();
  await stepOf(hosts, 2, parameters);
  expect(traffic().answered - before.answered).toBeLessThan(length * 1.1);
  for (const found of parameters) expect(sameBits(found, parameters[0])).toBe(true);
});

test('what is out of the ordinary goes to the servers, and gets their answer', async () => {
  const { cluster, workers } = await start(1);
  const hosts = workers();
  const parameters = ranks.map(() => new Float32Array(length));
  await Promise.all(hosts.map((worker, index) => worker.pull(0, parameters[index])));
  await stepOf(hosts, 0, parameters);

  // Not finite: refused by itself, by its tensor. Skipped: it counts for nothing. And a stranger who has the rank's lease no more.
  const broken = gradientOf(0, 1, length);
  broken[777] = Number.NaN;
  const refused = await hosts[0].push(pushOf(0, 1, broken), gathered);
  expect(refused).toMatchObject({ outcome: 'rejected', reason: expect.stringContaining('"w"') });
  const rest = [1, 2].map((rank) => hosts[rank].push(pushOf(rank, 1, gradientOf(rank, 1, length)), gathered));
  expect((await hosts[0].push(pushOf(0, 1, undefined), gathered)).outcome).toBe('waiting');
  const last = hosts[3].push(pushOf(3, 1, gradientOf(3, 1, length), { tokens: [2] }), gathered);
  for (const push of [...rest, last]) expect((await push).outcome).toMatch(/applied|waiting/);
  const late = hosts[2].push(pushOf(3, 1, gradientOf(3, 1, length)), gathered);
  expect((await late).outcome).toMatch(/fenced|duplicate/);
  expect(
    (await hosts[3].push(pushOf(3, 1, gradientOf(3, 1, length), { tokens: [2] }), gathered)).outcome,
  ).toBe('duplicate');
  expect(await hosts[0].push(pushOf(0, 1, gradientOf(0, 1, 100)), gathered)).toMatchObject({
    outcome: 'rejected',
    reason: expect.stringContaining('has 100 elements'),
  });

  await Promise.all(hosts.map((worker, index) => worker.pull(2, parameters[index])));
  expect(await hosts[0].pullLatest(parameters[0])).toMatchObject({ versions: [2] });
  expect((await cluster.client().describe())[0].outcomes).toMatchObject({ rejected: 2 });
});

test('a worker that left is waited for once, and one that came is learned', async () => {
  const { workers } = await start(1);
  const hosts = workers();
  const parameters = ranks.map(() => new Float32Array(length));
  await Promise.all(hosts.map((worker, index) => worker.pull(0, parameters[index])));
  const tookMs = async (act: () => Promise<unknown>) => {
    const beganMs = performance.now();
    await act();
    return performance.now() - beganMs;
  };
  expect(await tookMs(() => stepOf(hosts, 0, parameters))).toBeGreaterThan(limits.gatherMs * 0.9);
  expect(await tookMs(() => stepOf(hosts, 1, parameters))).toBeLessThan(limits.gatherMs);
  // The fourth pushes by itself now, as if from another host.
  const three = async (step: number) => {
    const pushes = [
      ...[0, 1, 2].map((rank) =>
        hosts[rank].push(pushOf(rank, step, gradientOf(rank, step, length)), gathered),
      ),
      hosts[3].push(pushOf(3, step, gradientOf(3, step, length))),
    ];
    await Promise.all(pushes);
    await Promise.all(hosts.map((worker, index) => worker.pull(step + 1, parameters[index])));
  };
  expect(await tookMs(() => three(2))).toBeGreaterThan(limits.gatherMs * 0.9);
  expect(await tookMs(() => three(3))).toBeLessThan(limits.gatherMs);
  await stepOf(hosts, 4, parameters);
  expect(await tookMs(() => stepOf(hosts, 5, parameters))).toBeLessThan(limits.gatherMs);
  expect(sameBits(parameters[3], await directly(1, 6))).toBe(true);
});

test('nobody waits for a rank that skips its step, or has nothing finite', async () => {
  const { workers } = await start(1);
  const hosts = workers();
  const parameters = ranks.map(() => new Float32Array(length));
  await Promise.all(hosts.map((worker, index) => worker.pull(0, parameters[index])));
  await stepOf(hosts, 0, parameters);
  const skip = () => undefined;
  const broken = () => new Float32Array(length).fill(Number.POSITIVE_INFINITY);
  for (const [index, gradient] of [skip, broken].entries()) {
    const step = index + 1;
    const beganMs = performance.now();
    const others = [0, 1, 2].map((rank) =>
      hosts[rank].push(pushOf(rank, step, gradientOf(rank, step, length)), gathered),
    );
    await hosts[3].push(pushOf(3, step, gradient(), { weight: gradient === skip ? 0 : 2 }), gathered);
    for (const push of others) expect((await push).outcome).toMatch(/applied|waiting/);
    expect(performance.now() - beganMs).toBeLessThan(limits.gatherMs / 2);
    if (gradient === broken) await hosts[3].push(pushOf(3, step, undefined, { weight: 0 }), gathered);
    await Promise.all(hosts.map((worker, rank) => worker.pull(step + 1, parameters[rank])));
  }
  // All are waited for again.
  for (const outcome of await stepOf(hosts, 3, parameters)) expect(outcome).toBe('applied');
});

test('an aggregator that leaves, or was never there, is done without', async () => {
  const { aggregator, workers, messages } = await start(2);
  const hosts = workers();
  const parameters = ranks.map(() => new Float32Array(length));
  await Promise.all(hosts.map((worker, index) => worker.pull(0, parameters[index])));
  await stepOf(hosts, 0, parameters);
  const waiting = [0, 1].map((rank) =>
    hosts[rank].push(pushOf(rank, 1, gradientOf(rank, 1, length)), gathered),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  await aggregator.stop();
  for (const rank of [2, 3])
    waiting.push(hosts[rank].push(pushOf(rank, 1, gradientOf(rank, 1, length)), gathered));
  expect((await Promise.all(waiting)).map(({ outcome }) => outcome)).toContain('applied');
  await Promise.all(hosts.map((worker, index) => worker.pull(2, parameters[index])));
  await stepOf(hosts, 2, parameters);
  expect(sameBits(parameters[0], await directly(2, 3))).toBe(true);
  expect(messages).toEqual(['generation 1: gathering for 2 shards']);
});

test('a job that is not synchronous is refused', async () => {
  const cluster = await TestCluster.start(testSpec({ staleness: 2 }), 1);
  const folder = await mkdtemp(join(tmpdir(), 'tributary-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const aggregator: RunningAggregator = await startAggregator({
    coordinator: cluster.coordinator,
    bind: `unix:${join(folder, 'aggregator.sock')}`,
    transport: 'auto',
    log: () => {},
  });
  await expect(aggregator.stopped).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('staleness of 2'),
  });
});
