import type { ParameterClient } from '@tributary/client/ParameterClient.ts';
import type { PullEncoding } from '@tributary/core/job/JobSpec.ts';
import { PulledParameters } from '@tributary/worker/training/PulledParameters.ts';
import { describe, expect, test } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from '../server/testCluster.ts';

const never = new AbortController().signal;

/** Two servers, and a client whose pulls are counted in bytes. */
async function start(name: PullEncoding) {
  const cluster = await TestCluster.start(testSpec({ ranks: 2, pullEncoding: { name } }), 2);
  const { length } = cluster.spec.layout;
  const traffic = { pushedBytes: 0, pulledBytes: 0 };
  const client = cluster.client({ pullEncoding: name, traffic });
  const vector = () => new Float32Array(length);
  /** Closes a step, as others do. */
  const close = async (step: number) => {
    for (const rank of [0, 1]) await client.push(pushOf(rank, step, gradientOf(rank, step, length)));
  };
  /** What a reader has who pulls step after step from the first. */
  const other = cluster.client({ pullEncoding: name });
  const expected = vector();
  const pullOther = async (step: number) => {
    await other.pull(step, expected);
    return expected;
  };
  return { cluster, client, traffic, vector, close, pullOther };
}

describe.each(['f32', 'delta'] as const)('parameters that come as %s', (name) => {
  test('are there when their step may begin, having been asked for before, and travel once', async () => {
    const { client, traffic, vector, close, pullOther } = await start(name);
    const parameters = new PulledParameters([vector()]);
    for (let step = 0; step < 4; step++) {
      const { ready, versions, values } = await parameters.take(client, step, never);
      expect([ready, versions]).toEqual([true, [step, step]]);
      expect(sameBits(values, await pullOther(step))).toBe(true);
      parameters.ask(client, step + 1, never);
      expect(parameters.isAhead).toBe(true);
      await close(step);
    }
    await parameters.take(client, 4, never);
    expect(parameters.isAhead).toBe(false);
    const elements = vector().length;
    expect(traffic.pulledBytes).toBe(
      name === 'f32' ? 5 * 4 * elements : 4 * elements + 4 * changeBytes(elements),
    );
  });

  test('of a step before can be had back, if a rank of that step comes in the meantime', async () => {
    const { client, vector, close, pullOther } = await start(name);
    const parameters = new PulledParameters([vector()]);
    await parameters.take(client, 0, never);
    await close(0);
    await parameters.take(client, 1, never);
    const first = (await pullOther(1)).slice();
    parameters.ask(client, 2, never);
    expect(sameBits((await parameters.take(client, 1, never)).values, first)).toBe(true);
    // Also when those of the next step are there already.
    parameters.ask(client, 2, never);
    await close(1);
    const second = (await pullOther(2)).slice();
    await settled(client);
    expect(sameBits((await parameters.take(client, 1, never)).values, first)).toBe(true);
    expect(sameBits((await parameters.take(client, 2, never)).values, second)).toBe(true);
  });

  test('are pulled when it is their turn, if the wait for them was ended or the client is another', async () => {
    const { cluster, client, vector, close, pullOther } = await start(name);
    const parameters = new PulledParameters([vector()]);
    await parameters.take(client, 0, never);
    const wait = new AbortController();
    parameters.ask(client, 1, wait.signal);
    wait.abort();
    await close(0);
    const { versions, values } = await parameters.take(client, 1, never);
    expect(versions).toEqual([1, 1]);
    expect(sameBits(values, await pullOther(1))).toBe(true);

    parameters.ask(client, 2, never);
    await client.close();
    const another = cluster.client({ pullEncoding: name });
    expect(sameBits((await parameters.take(another, 1, never)).values, values)).toBe(true);
  });
});

test('with two vectors the one that is computed from stays as it is while the other comes', async () => {
  const { client, vector, close } = await start('f32');
  const parameters = new PulledParameters([vector(), vector()]);
  const { values } = await parameters.take(client, 0, never);
  parameters.ask(client, 1, never);
  await close(0);
  await settled(client);
  expect(sameBits(values, vector())).toBe(true);
  const next = await parameters.take(client, 1, never);
  expect(next.values).not.toBe(values);
  expect(sameBits(next.values, vector())).toBe(false);
});

test('the end of the job is told to who asked for what comes after it', async () => {
  const { client, vector } = await start('f32');
  const parameters = new PulledParameters([vector()]);
  await parameters.take(client, 0, never);
  parameters.ask(client, 1, never);
  expect(await client.endAt(1)).toBe(1);
  expect(await parameters.take(client, 1, never)).toMatchObject({ ready: false, endStep: 1 });
});

/** A byte for each element, and a scale for each block: see core/codec/int8.ts. */
const changeBytes = (elements: number) => elements + 4 * Math.ceil(elements / 256);

/** What was sent on the same connections before has arrived. */
async function settled(client: ParameterClient): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await client.describe();
}
