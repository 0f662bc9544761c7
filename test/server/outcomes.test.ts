import { expect, test } from 'vitest';
import { gradientOf, pushOf, TestCluster, testSpec } from './testCluster.ts';

test('waiting, applied, duplicate: before and after the step closed', async () => {
  const spec = testSpec({ ranks: 2 });
  const client = (await TestCluster.start(spec, 2)).client();
  const gradient = (rank: number) => gradientOf(rank, 0, spec.layout.length);
  expect(await client.push(pushOf(0, 0, gradient(0)))).toMatchObject({
    outcome: 'waiting',
    clock: 0,
    endStep: 100,
  });
  expect(await client.push(pushOf(0, 0, gradient(0)))).toMatchObject({ outcome: 'duplicate', clock: 0 });
  expect(await client.push(pushOf(1, 0, gradient(1)))).toMatchObject({ outcome: 'applied', clock: 1 });
  expect(await client.push(pushOf(1, 0, gradient(1)))).toMatchObject({ outcome: 'duplicate', clock: 1 });
  const outcomes = (await client.describe()).map((server) => server.outcomes);
  expect(outcomes).toEqual(
    new Array(2).fill({ waiting: 1, applied: 1, duplicate: 2, fenced: 0, stale: 0, rejected: 0 }),
  );
});

test('fenced: an older token than one that was seen, whatever it brings', async () => {
  const spec = testSpec({ ranks: 2 });
  const client = (await TestCluster.start(spec, 1)).client();
  const gradient = gradientOf(0, 0, spec.layout.length);
  await client.push({ ...pushOf(0, 0, gradient), ranks: { begin: 0, end: 2 }, tokens: [3, 8] });
  expect(await client.push(pushOf(1, 1, gradient, { tokens: [7] }))).toMatchObject({
    outcome: 'fenced',
    reason: 'the lease on rank 1 is lost: token 7 came after token 8',
    clock: 1,
  });
  expect(await client.push(pushOf(0, 0, gradient, { tokens: [2] }))).toMatchObject({ outcome: 'fenced' });
  expect(await client.push(pushOf(1, 1, gradient, { tokens: [9] }))).toMatchObject({ outcome: 'waiting' });
});

test.each([
  ['NaN', Number.NaN, 1700, 'NaN in tensor "second", element 200'],
  ['an infinity', Number.NEGATIVE_INFINITY, 0, '-Infinity in tensor "first", element 0'],
])(
  'rejected: %s is named with rank, step, tensor and element, and changes nothing',
  async (_, value, at, where) => {
    const spec = testSpec({ ranks: 1 });
    const cluster = await TestCluster.start(spec, 2);
    const client = cluster.client();
    const broken = gradientOf(0, 0, spec.layout.length);
    broken[at] = value;
    const reason = `the gradient of rank 0 at step 0 is ${where}`;
    expect(await client.push(pushOf(0, 0, broken))).toMatchObject({ outcome: 'rejected', reason, clock: 0 });
    const parameters = new Float32Array(spec.layout.length).fill(1);
    await client.pull(0, parameters);
    expect(parameters).toEqual(new Float32Array(spec.layout.length));

    // The rank skips the step: the clock goes on, the parameters stay.
    expect(await client.push(pushOf(0, 0, undefined))).toMatchObject({ outcome: 'applied', clock: 1 });
    await client.pull(1, parameters);
    expect(parameters).toEqual(new Float32Array(spec.layout.length));
    await expect
      .poll(() => cluster.metrics())
      .toMatchObject([{ kind: 'rejected', rank: 0, step: 0, tensor: where.split('"')[1], reason, total: 1 }]);
  },
);

test('a loss that is not finite is rejected too', async () => {
  const spec = testSpec({ ranks: 2 });
  const client = (await TestCluster.start(spec, 2)).client();
  const push = {
    ...pushOf(0, 0, gradientOf(0, 0, spec.layout.length), { loss: Number.NaN, tokens: [1, 1] }),
    ranks: { begin: 0, end: 2 },
  };
  expect(await client.push(push)).toMatchObject({
    outcome: 'rejected',
    reason: 'the loss of ranks 0 to 1 at step 0 is NaN',
  });
  // Once, not once for each shard.
  expect((await client.describe()).map(({ rejected }) => rejected)).toEqual([1, 0]);
});

test('a skipped rank counts for nothing: the mean is over the examples of the others', async () => {
  const spec = testSpec({
    ranks: 2,
    layout: { tensors: [{ name: 'w', shape: [1], offset: 0, length: 1 }], length: 1 },
  });
  const client = (await TestCluster.start(spec, 1)).client();
  await client.push(pushOf(0, 0, undefined));
  await client.push(pushOf(1, 0, Float32Array.of(6), { weight: 3 }));
  const parameters = new Float32Array(1);
  await client.pull(1, parameters);
  expect(parameters[0]).toBe(-0.5 * (6 / 3));
});

test('at the limit of rejected gradients the job fails: everything is refused with the reason, the parameters are as they were', async () => {
  const spec = testSpec({ ranks: 1, rejectedMax: 2 });
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const broken = new Float32Array(spec.layout.length).fill(Number.NaN);
  const waiting = expect(client.pull(5, new Float32Array(spec.layout.length))).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  await client.push(pushOf(0, 0, broken));
  expect(await client.push(pushOf(0, 0, broken))).toMatchObject({ outcome: 'rejected' });
  await waiting;
  const failure =
    '2 gradients were rejected, the last because the gradient of rank 0 at step 0 is NaN in tensor "first", element 0';
  await expect(client.push(pushOf(0, 0, undefined))).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining(`the job failed: ${failure}`),
  });
  expect(await client.describe()).toMatchObject([{ failure, rejected: 2, shards: [{ version: 0 }] }]);
  await expect
    .poll(async () => (await cluster.metrics()).map((entry) => entry.kind))
    .toEqual(['rejected', 'event', 'rejected']);
});

test('a closed step is told once, by the server of shard 0, with the mean loss over its examples', async () => {
  const spec = testSpec({ ranks: 2 });
  const cluster = await TestCluster.start(spec, 2);
  const client = cluster.client();
  await client.push(pushOf(0, 0, gradientOf(0, 0, spec.layout.length), { weight: 1, loss: 4 }));
  await client.push(pushOf(1, 0, gradientOf(1, 0, spec.layout.length), { weight: 3, loss: 2 }));
  await expect
    .poll(() => cluster.metrics())
    .toEqual([{ kind: 'step', step: 0, loss: 1.5, examples: 4, staleness: 0, timeMs: expect.any(Number) }]);
});
