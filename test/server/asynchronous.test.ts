import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { expect, test } from 'vitest';
import { pushOf, TestCluster, testSpec } from './testCluster.ts';

const layout = { tensors: [{ name: 'w', shape: [2], offset: 0, length: 2 }], length: 2 };

test('stale-synchronous: a rank runs ahead by the bound, and waits there for the slowest', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 2, staleness: 1, layout }), 1);
  const client = cluster.client();
  const parameters = new Float32Array(2);
  for (let step = 0; step < 2; step++) {
    expect(await client.pull(step, parameters)).toMatchObject({ ready: true, versions: [step], clock: 0 });
    expect(await client.push(pushOf(0, step, Float32Array.of(2, 4)))).toMatchObject({
      outcome: 'applied',
      clock: 0,
    });
  }
  await expect(client.push(pushOf(0, 2, Float32Array.of(2, 4)))).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  const ahead = client.pull(2, parameters);
  expect(await client.push(pushOf(1, 0, Float32Array.of(2, 4)))).toMatchObject({
    outcome: 'applied',
    clock: 1,
  });
  expect(await ahead).toMatchObject({ ready: true, versions: [3], clock: 1 });
  // Three updates of learning rate 0.5 with the mean gradients (1, 2).
  expect(parameters).toEqual(Float32Array.of(-1.5, -3));
});

test('asynchronous: nobody waits, and every push is an update', async () => {
  const cluster = await TestCluster.start(testSpec({ ranks: 3, staleness: null, layout }), 1);
  const client = cluster.client();
  const parameters = new Float32Array(2);
  for (let step = 0; step < 5; step++) {
    await client.pull(step, parameters);
    expect(await client.push(pushOf(2, step, Float32Array.of(2, 4)))).toMatchObject({ outcome: 'applied' });
    expect(await client.push(pushOf(2, step, Float32Array.of(2, 4)))).toMatchObject({ outcome: 'duplicate' });
  }
  await client.push(pushOf(0, 0, Float32Array.of(0, 0), { loss: 5 }));
  expect(await client.describe()).toMatchObject([{ shards: [{ version: 6, clocks: [1, 0, 5] }] }]);
  const expected = { kind: 'step', step: 0, loss: 2.5, examples: 2, staleness: 5 };
  await expect.poll(async () => (await cluster.metrics()).at(-1)).toMatchObject(expected);
});

test('asynchronous: ranks push for themselves, a skip moves the clock and not the parameters, and clipping goes by the norm that is sent', async () => {
  const cluster = await TestCluster.start(
    testSpec({ ranks: 2, staleness: null, layout, clipping: { norm: 1 } }),
    1,
  );
  const client = cluster.client();
  const together = {
    ...pushOf(0, 0, Float32Array.of(1, 1), { tokens: [1, 1] }),
    ranks: { begin: 0, end: 2 },
  };
  await expect(client.push(together)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('in an asynchronous mode every rank pushes its own gradient'),
  });
  expect(await client.push(pushOf(0, 0, undefined))).toMatchObject({ outcome: 'applied' });
  // The payload is 2 examples * (3, 4), whose norm of 5 is cut to 1; the squares are 2 examples * 5^2.
  await client.push({ ...pushOf(0, 1, Float32Array.of(6, 8)), squares: 50 });
  const parameters = new Float32Array(2);
  expect(await client.pullLatest(parameters)).toMatchObject({ ready: true, versions: [1] });
  expect(parameters[0]).toBeCloseTo(-0.3, 6);
  expect(parameters[1]).toBeCloseTo(-0.4, 6);
});

test('stale: a gradient from too far behind is dropped, and its rank goes on', async () => {
  // Ranks can be this far apart where a checkpoint of an unbounded run is continued with a bound.
  const cluster = await TestCluster.start(testSpec({ ranks: 2, staleness: 1, layout }), 1, {
    clocks: [2, 6],
  });
  const client = cluster.client();
  const gradient = Float32Array.of(2, 4);
  expect(await client.push(pushOf(0, 2, gradient))).toMatchObject({
    outcome: 'stale',
    reason: 'step 2 of rank 0 is 4 steps behind the fastest rank; the bound is 1',
    clock: 3,
  });
  expect(await client.push(pushOf(0, 2, gradient))).toMatchObject({ outcome: 'duplicate' });
  expect(await client.push(pushOf(0, 3, gradient))).toMatchObject({ outcome: 'stale', clock: 4 });
  expect(await client.push(pushOf(0, 4, gradient))).toMatchObject({ outcome: 'applied', clock: 5 });
  const parameters = new Float32Array(2);
  await client.pullLatest(parameters);
  expect(parameters).toEqual(Float32Array.of(-0.5, -1));
});

/** Ranks 0 and 1 pull version 0; rank 1 pushes three times, rank 0 then once, from version 0. Returns the parameters before and after that last push. */
async function trainLate(change: Partial<JobSpec>): Promise<[Float32Array, Float32Array]> {
  const cluster = await TestCluster.start(testSpec({ ranks: 2, staleness: null, layout, ...change }), 1);
  const client = cluster.client();
  const parameters = new Float32Array(2);
  const late = await client.pull(0, parameters);
  for (let step = 0; step < 3; step++) {
    const { versions } = await client.pull(step, parameters);
    await client.push({ ...pushOf(1, step, Float32Array.of(2, 4)), versions });
  }
  await client.pullLatest(parameters);
  const before = parameters.slice();
  await client.push({ ...pushOf(0, 0, Float32Array.of(4, -2)), versions: late.versions });
  await client.pullLatest(parameters);
  return [before, parameters];
}

test('late gradients: the rate is divided by the updates that came meanwhile', async () => {
  const [before, after] = await trainLate({ learningRateByStaleness: true });
  // Gradients that are not late go at the full rate of 0.5.
  expect(before).toEqual(Float32Array.of(-1.5, -3));
  expect(after[0]).toBeCloseTo(-1.5 - (0.5 / 3) * 2, 6);
  expect(after[1]).toBeCloseTo(-3 + (0.5 / 3) * 1, 6);
});

test('late gradients: the correction of DC-ASGD, from as many versions back as there are ranks', async () => {
  const [before, after] = await trainLate({ delayCompensation: 0.25 });
  expect(before).toEqual(Float32Array.of(-1.5, -3));
  // Versions 1 and 2 are kept, and version 0 is not: the parameters have moved by -1 and -2 since version 1.
  expect(after[0]).toBeCloseTo(-1.5 - 0.5 * (2 + 0.25 * 4 * -1), 6);
  expect(after[1]).toBeCloseTo(-3 - 0.5 * (-1 + 0.25 * 1 * -2), 6);
});

/** Where the two parameters have their minimum, and how curved the loss is there. */
const curvature = [0.5, 0.25];
const gradientAt = (parameters: readonly number[]) => parameters.map((p, i) => curvature[i] * (p + 1));

/** Four ranks in turn push the gradient of that quadratic, each from the parameters as they were three updates ago. Returns the parameters after each update. */
async function trainInTurn(delayCompensation: number, updates: number): Promise<number[][]> {
  const cluster = await TestCluster.start(
    testSpec({ ranks: 4, staleness: null, layout, delayCompensation }),
    1,
  );
  const client = cluster.client();
  const parameters = new Float32Array(2);
  const pull = async () => {
    const { versions } = await client.pullLatest(parameters);
    return { versions, at: [...parameters] };
  };
  const first = await pull();
  const pulled = [first, first, first, first];
  const path: number[][] = [];
  for (let update = 0; update < updates; update++) {
    const rank = update % 4;
    const { versions, at } = pulled[rank];
    const payload = Float32Array.from(gradientAt(at), (g) => 2 * g);
    await client.push({ ...pushOf(rank, Math.floor(update / 4), payload), versions });
    pulled[rank] = await pull();
    path.push(pulled[rank].at);
  }
  return path;
}

/** The same in float64, by the update of the paper: w <- w - rate (g + lambda g g (w - w then)), with g at w then. */
function delayCompensated(lambda: number, updates: number): number[][] {
  const path: number[][] = [[0, 0]];
  for (let update = 0; update < updates; update++) {
    const then = path[Math.max(0, update - 3)];
    const gradient = gradientAt(then);
    path.push(
      path[update].map((w, i) => w - 0.5 * (gradient[i] + lambda * gradient[i] ** 2 * (w - then[i]))),
    );
  }
  return path.slice(1);
}

test('late gradients: DC-ASGD goes the way of its equation, where it converges and where that explodes', async () => {
  const [small, large] = [0.5, 60];
  const exploded = delayCompensated(large, 40).findIndex(([w]) => !(Math.abs(w) < 1e6));
  expect(exploded).toBeGreaterThan(4);
  for (const [lambda, updates] of [
    [small, 40],
    [large, exploded],
  ]) {
    const expected = delayCompensated(lambda, updates);
    for (const [update, found] of (await trainInTurn(lambda, updates)).entries()) {
      for (const [i, w] of expected[update].entries()) {
        const error = Math.abs(found[i] - w) / Math.max(1, Math.abs(w));
        expect(error, `lambda ${lambda}, update ${update}`).toBeLessThan(1e-4);
      }
    }
  }
  for (const w of delayCompensated(small, 40)[39]) expect(Math.abs(w + 1)).toBeLessThan(0.1);
});
