import { setTimeout as sleep } from 'node:timers/promises';
import type { ParameterClient } from '@tributary/client/ParameterClient.ts';
import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import { VectorEncoding } from '@tributary/core/codec/VectorEncoding.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { expect, test } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

const { layout } = testSpec();
const { length } = layout;
const initial = Float32Array.from({ length }, (_, index) => Math.sin(index));
const changeBytes = new VectorEncoding(
  [{ begin: 0, end: length, codec: { name: 'int8' } }],
  [{ begin: 0, end: length }],
).bytes;

async function start(servers: number, change: Partial<JobSpec> = {}, transport: TransportChoice = 'fast') {
  const spec = testSpec({ ranks: 1, pullEncoding: { name: 'delta' }, ...change });
  const cluster = await TestCluster.start(spec, servers, { initial, transport });
  const traffic = { pushedBytes: 0, pulledBytes: 0 };
  const reader = (more = {}) => cluster.client({ trained: spec, pullEncoding: 'delta', transport, ...more });
  return { cluster, traffic, reader, client: reader({ traffic }) };
}

const advance = (client: ParameterClient, step: number) =>
  client.push(pushOf(0, step, gradientOf(0, step, length)));

test.each(['fast', 'grpc'] as const)(
  'over %s, changes come in a quarter of the bytes, and add up to the parameters',
  async (transport) => {
    const { cluster, traffic, client } = await start(2, {}, transport);
    const [has, exact] = [new Float32Array(length), new Float32Array(length)];
    await client.pull(0, has);
    expect(sameBits(has, initial)).toBe(true);
    expect(traffic.pulledBytes).toBe(4 * length);
    let worst = 0;
    const steps = 60;
    for (let step = 0; step < steps; step++) {
      await advance(client, step);
      await client.pull(step + 1, has);
      await cluster.client().pullLatest(exact);
      worst = Math.max(...has.map((value, index) => Math.abs(value - exact[index])));
      // Half a scale, however many steps there were: what one change lacks is in the next.
      expect(worst).toBeLessThan(0.02);
    }
    expect(worst).toBeGreaterThan(0);
    expect(traffic.pulledBytes).toBe(4 * length + steps * changeBytes);
  },
);

test('what a step begins from is the same for all readers, on any number of servers', async () => {
  const found: Float32Array[] = [];
  for (const servers of [1, 3]) {
    const { reader, client } = await start(servers);
    const always = new Float32Array(length);
    const [seldom, never, plain] = [0, 0, 0].map(() => new Float32Array(length));
    const other = reader();
    await other.pull(0, seldom);
    for (let step = 0; step < 5; step++) {
      await client.pull(step, always);
      await advance(client, step);
    }
    await client.pull(5, always);
    await other.pull(5, seldom);
    await reader().pull(5, never);
    // One that cannot read changes.
    await reader({ pullEncoding: 'f32' }).pull(5, plain);
    found.push(always, seldom, never, plain);
    // A rank that moved in the middle of a step begins it again.
    const before = new Float32Array(length);
    await reader().pull(4, before);
    await client.pull(4, always);
    expect(sameBits(always, before)).toBe(true);
    await client.pull(5, always);
    expect(sameBits(always, never)).toBe(true);
  }
  for (const values of found) expect(sameBits(values, found[0])).toBe(true);
});

test('what is frozen stays, and what thaws comes with the changes', async () => {
  const tensors = [{ name: 'second', frozenUntil: 2 }];
  const { client, reader, traffic } = await start(2, { tensors });
  const [has, whole] = [new Float32Array(length), new Float32Array(length)];
  const bytes: number[] = [];
  for (let step = 0; step <= 4; step++) {
    await client.pull(step, has);
    await reader().pull(step, whole);
    expect(sameBits(has, whole)).toBe(true);
    expect(sameBits(has.subarray(1500), initial.subarray(1500))).toBe(step <= 2);
    bytes.push(traffic.pulledBytes);
    if (step < 4) await advance(client, step);
  }
  expect(bytes[2] - bytes[1]).toBeLessThan(0.7 * (bytes[4] - bytes[3]));
});

test('a pull that is broken off leaves no half of a change behind', async () => {
  const { client, reader } = await start(1);
  const [has, whole] = [new Float32Array(length), new Float32Array(length)];
  for (let step = 0; step < 30; step++) {
    const broken = new AbortController();
    const pulling = client.pull(step, has, { signal: broken.signal }).catch(() => {});
    await sleep(step % 4);
    broken.abort();
    await pulling;
    await client.pull(step, has);
    await reader().pull(step, whole);
    expect(sameBits(has, whole)).toBe(true);
    await advance(client, step);
  }
});

test('jobs that do not publish changes refuse to give them', async () => {
  const { reader } = await start(1, { pullEncoding: { name: 'bf16' } });
  await expect(reader().pull(0, new Float32Array(length))).rejects.toThrow(
    'the encoding is INT8; parameters can be pulled as F32, BF16, F16',
  );
});
