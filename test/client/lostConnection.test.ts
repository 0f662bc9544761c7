import { expect, onTestFinished, test } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from '../server/testCluster.ts';
import { TcpProxy } from './TcpProxy.ts';

async function start(length: number) {
  const spec = testSpec({
    ranks: 1,
    layout: { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length },
  });
  const cluster = await TestCluster.start(spec, 1);
  const proxy = await TcpProxy.to(cluster.servers[0].address);
  onTestFinished(() => proxy.close());
  return { proxy, direct: cluster.client(), proxied: cluster.client({ address: proxy.address }) };
}

/** After one step of SGD with the learning rate 0.5 from 0. */
const appliedOnce = (length: number) =>
  Float32Array.from(gradientOf(0, 0, length), (value) => 0 - 0.5 * Math.fround(value / 2));

test('a push whose reply was lost is sent again and not applied again', async () => {
  // Small enough for HTTP/2's first window: no part of it waits for a word from the server.
  const length = 10_000;
  const { proxy, direct, proxied } = await start(length);
  const parameters = new Float32Array(length);
  await proxied.pull(0, parameters);
  proxy.repliesPass = false;
  const pushed = proxied.push(pushOf(0, 0, gradientOf(0, 0, length)));
  await expect.poll(async () => (await direct.describe())[0].outcomes.applied).toBe(1);
  proxy.cut();
  expect((await pushed).outcome).toBe('duplicate');
  expect(await direct.pull(1, parameters)).toMatchObject({ ready: true, versions: [1] });
  expect(sameBits(parameters, appliedOnce(length))).toBe(true);
});

test('a push that was cut in the middle leaves nothing behind and is sent again', async () => {
  const length = 1_000_000;
  const { proxy, direct, proxied } = await start(length);
  const parameters = new Float32Array(length);
  await proxied.pull(0, parameters);
  proxy.cutAfter(2 * length);
  expect((await proxied.push(pushOf(0, 0, gradientOf(0, 0, length)))).outcome).toBe('applied');
  expect(proxy.connections).toBe(2);
  const [server] = await direct.describe();
  expect(server.outcomes).toMatchObject({ applied: 1, duplicate: 0, rejected: 0 });
  await direct.pull(1, parameters);
  expect(sameBits(parameters, appliedOnce(length))).toBe(true);
});

test('a pull that was cut in the middle is made again', async () => {
  const length = 1_000_000;
  const { proxy, proxied } = await start(length);
  const parameters = new Float32Array(length).fill(1);
  await proxied.describe();
  // The reader acknowledges what it got, so the bytes it sends measure how far it is.
  proxy.cutAfter(60);
  expect(await proxied.pull(0, parameters)).toMatchObject({ ready: true });
  expect(proxy.connections).toBe(2);
  expect(sameBits(parameters, new Float32Array(length))).toBe(true);
});
