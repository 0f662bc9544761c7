import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { addInto } from '@tributary/core/reduction/TreeSum.ts';
import { expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../client/TcpProxy.ts';
import { gradientOf, pushOf, TestCluster, testSpec } from './testCluster.ts';

const layout = createLayout([
  { name: 'body', shape: [2000] },
  { name: 'late', shape: [700] },
  { name: 'norm', shape: [300] },
  { name: 'fixed', shape: [1500] },
  { name: 'head', shape: [500] },
]);
const spec = testSpec({
  layout,
  optimizer: { name: 'adamw', hyperparameters: { learningRate: 0.1, weightDecay: 0.5 } },
  tensors: [
    { name: 'late', frozenUntil: 2, learningRateScale: 0.5 },
    { name: 'norm', weightDecay: false },
    { name: 'fixed', frozenUntil: null },
  ],
});
const { length } = layout;
const initial = Float32Array.from({ length }, (_, index) => index / length);

/** Of what is frozen senders know nothing: whatever stands there must not matter. */
function gradientWithJunk(rank: number, step: number): Float32Array {
  const gradient = gradientOf(rank, step, length);
  gradient.fill(Number.NaN, 3000, 4500);
  if (step < 2) gradient.fill(Number.NaN, 2000, 2700);
  return gradient;
}

function plainLoop(steps: number): Float32Array {
  const parameters = initial.slice();
  const parts = [
    { begin: 0, end: 2000, from: 0, learningRate: 0.1, weightDecay: 0.5 },
    { begin: 2000, end: 2700, from: 2, learningRate: 0.05, weightDecay: 0.5 },
    { begin: 2700, end: 3000, from: 0, learningRate: 0.1, weightDecay: 0 },
    { begin: 4500, end: 5000, from: 0, learningRate: 0.1, weightDecay: 0.5 },
  ].map(({ begin, end, from, ...hyperparameters }) => ({
    ...{ begin, end, from, learningRate: hyperparameters.learningRate },
    optimizer: createOptimizer({ name: 'adamw', hyperparameters }),
    slots: [new Float32Array(end - begin), new Float32Array(end - begin)],
  }));
  for (let step = 0; step < steps; step++) {
    const [a, b, c, d] = [0, 1, 2, 3].map((rank) => gradientOf(rank, step, length));
    addInto(a, b);
    addInto(c, d);
    addInto(a, c);
    for (const { begin, end, from, optimizer, slots, learningRate } of parts) {
      if (step < from) continue;
      const part = parameters.subarray(begin, end);
      const gradient = a.subarray(begin, end).map((value) => value / 8);
      optimizer.update(part, part, gradient, slots, { count: step - from + 1, learningRate });
    }
  }
  return parameters;
}

test.each([1, 2, 3])(
  'frozen, late, slower and undecayed tensors on %i servers are a plain loop, bit for bit',
  async (servers) => {
    const cluster = await TestCluster.start(spec, servers, { initial });
    const client = cluster.client();
    const parameters = new Float32Array(length);
    for (let step = 0; step < 4; step++) {
      await client.pull(step, parameters);
      expect(parameters).toEqual(plainLoop(step));
      for (const rank of [2, 0, 3, 1]) await client.push(pushOf(rank, step, gradientWithJunk(rank, step)));
    }
    const whole = new Float32Array(length);
    await cluster.client().pull(4, whole);
    expect(whole).toEqual(plainLoop(4));
    expect(whole.subarray(3000, 4500)).toEqual(initial.subarray(3000, 4500));
    await client.pull(4, parameters);
    expect(parameters).toEqual(whole);
  },
);

test('what is frozen is neither pushed nor pulled again', async () => {
  const cluster = await TestCluster.start(spec, 1, { initial });
  const proxy = await TcpProxy.to(cluster.servers[0].address);
  onTestFinished(() => proxy.close());
  const client = cluster.client({ address: proxy.address });
  const parameters = new Float32Array(length);
  const bytesOf = async (call: () => Promise<unknown>) => {
    const before = [proxy.sentBytes, proxy.answeredBytes];
    await call();
    return { sent: proxy.sentBytes - before[0], answered: proxy.answeredBytes - before[1] };
  };
  const pushAll = async (step: number) => {
    for (const rank of [0, 1, 2, 3]) await client.push(pushOf(rank, step, gradientWithJunk(rank, step)));
  };
  /** Beside tensors: headers of HTTP/2 and gRPC, acknowledgements. */
  const overhead = 1000;
  const live = (length - 700 - 1500) * 4;
  const expectBytes = (found: number, tensors: number) => {
    expect(found).toBeGreaterThanOrEqual(tensors);
    expect(found).toBeLessThan(tensors + overhead);
  };
  expectBytes((await bytesOf(() => client.pull(0, parameters))).answered, length * 4);
  expectBytes((await bytesOf(() => pushAll(0))).sent / 4, live);
  expectBytes((await bytesOf(() => client.pull(1, parameters))).answered, live);
  await pushAll(1);
  await client.pull(2, parameters);
  expectBytes((await bytesOf(() => pushAll(2))).sent / 4, live + 700 * 4);
  expectBytes((await bytesOf(() => client.pull(3, parameters))).answered, live + 700 * 4);
});

test('asynchronous: a rank that is behind pulls what others have unfrozen meanwhile', async () => {
  const cluster = await TestCluster.start({ ...spec, staleness: null, ranks: 2 }, 1, { initial });
  const client = cluster.client();
  const [slow, fast] = [new Float32Array(length), new Float32Array(length)];
  await client.pull(0, slow);
  for (let step = 0; step < 3; step++) {
    await client.pull(step, fast);
    await client.push(pushOf(1, step, gradientOf(1, step, length)));
  }
  await client.push(pushOf(0, 0, gradientOf(0, 0, length)));
  await client.pull(1, slow);
  await client.pull(3, fast);
  expect(slow).toEqual(fast);
  expect(slow.subarray(2000, 2700)).not.toEqual(initial.subarray(2000, 2700));
  expect(slow.subarray(3000, 4500)).toEqual(initial.subarray(3000, 4500));
});
