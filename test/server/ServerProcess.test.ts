import { spawn } from 'node:child_process';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChannel } from '@tributary/client/transport/openChannel.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { advertisedAddress } from '@tributary/server/membership/advertisedAddress.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { gradientOf, pushOf, TestCluster, testSpec } from './testCluster.ts';

const spec = testSpec({ ranks: 1 });
const { length } = spec.layout;

test('a server is a member under the address it advertises, until it stops', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const other = await cluster.startServer('127.0.0.1:0', 'ps.example:7000');
  expect(other.address).toBe('ps.example:7000');
  const addresses = async () =>
    (await cluster.coordinator.members()).map((member) => [member.role, member.address]);
  expect(await addresses()).toEqual([
    ['server', cluster.servers[0].address],
    ['server', 'ps.example:7000'],
  ]);
  await other.stop();
  await other.stopped;
  expect(await addresses()).toEqual([['server', cluster.servers[0].address]]);
});

test('a server bound to every interface advertises the name of the machine', () => {
  expect(advertisedAddress('0.0.0.0:7000')).toBe(`${hostname()}:7000`);
  expect(advertisedAddress('[::]:7000')).toBe(`${hostname()}:7000`);
  expect(advertisedAddress('10.0.0.7:7000')).toBe('10.0.0.7:7000');
  expect(advertisedAddress('unix:/tmp/a.sock')).toBe('unix:/tmp/a.sock');
});

test('an address in use is one clear error that names it, and leaves no member behind', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const { address } = cluster.servers[0];
  await expect(cluster.startServer(address)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: `the address ${address} is in use`,
    hint: expect.stringContaining('--bind'),
  });
  await expect(cluster.startServer('192.0.2.1:1')).rejects.toMatchObject({
    message: expect.stringMatching(/^cannot listen on 192\.0\.2\.1:1: .*EADDRNOTAVAIL|address not available/),
  });
  expect(await cluster.coordinator.members()).toHaveLength(1);
});

test('a Unix socket serves too, also one that a killed server left behind, but not one in use', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const path = join(tmpdir(), `tributary-${process.pid}.sock`);
  const dead = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
  ]);
  await new Promise((resolve) => dead.stdout.once('data', resolve));
  await expect(cluster.startServer(`unix:${path}`)).rejects.toMatchObject({
    message: `the address unix:${path} is in use`,
  });
  dead.kill('SIGKILL');
  await new Promise((resolve) => dead.once('exit', resolve));
  const server = await cluster.startServer(`unix:${path}`);
  await cluster.place(2, cluster.placement.checkpoint, [server]);
  const client = cluster.client();
  expect(await client.push(pushOf(0, 0, gradientOf(0, 0, length)))).toMatchObject({ outcome: 'applied' });
  expect(await client.pull(1, new Float32Array(length))).toMatchObject({ ready: true });
});

test('a server takes the shards of a new generation, drops the old ones, and stands by when it has none', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const old = cluster.client();
  await old.push(pushOf(0, 0, gradientOf(0, 0, length)));
  const waiting = expect(old.pull(5, new Float32Array(length))).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  const second = await cluster.startServer();
  await cluster.place(2, cluster.placement.checkpoint, [second]);
  await waiting;
  await expect
    .poll(() => cluster.logged.map(({ message }) => message))
    .toContain('generation 2 gives this server no shard; standing by');
  // It may have the address of one that is gone: who asks it is to ask again.
  const misled = cluster.client({ address: cluster.servers[0].address, retryTotalMs: 0 });
  await expect(misled.pullLatest(new Float32Array(length))).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('no shards are loaded here yet'),
  });
  await expect(cluster.client({ generation: 2 }).pullLatest(new Float32Array(length))).resolves.toMatchObject(
    { versions: [0] },
  );
  await cluster.place(3, cluster.placement.checkpoint, cluster.servers);
  expect(await cluster.client().describe()).toMatchObject([{ generation: 3 }, { generation: 3 }]);
});

test('a placement whose checkpoint is gone is told by a server that needs it, and does not concern one that does not', async () => {
  const cluster = await TestCluster.start(spec, 1);
  await cluster.write({ generation: 2, checkpoint: 'gone' });
  const standby = await cluster.startServer();
  const errors = () => cluster.logged.filter(({ level }) => level === 'error');
  await expect
    .poll(() => errors().map(({ message }) => message))
    .toEqual(['checkpoint gone, which the placement needs, does not exist']);
  const misled = cluster.client({ address: standby.address, retryTotalMs: 0 });
  await expect(misled.pullLatest(new Float32Array(length))).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('no shards are loaded here yet'),
  });
});

test('one server may hold several shards', async () => {
  const clipped = testSpec({ ranks: 1, clipping: { norm: 0.1 } });
  const cluster = await TestCluster.start(clipped, 1);
  const [only] = cluster.servers;
  await cluster.place(2, cluster.placement.checkpoint, [only, only, only]);
  const client = cluster.client();
  expect(await client.describe()).toMatchObject([
    { shards: [{ begin: 0 }, { begin: 1024 }, { begin: 2048 }] },
  ]);
  await client.push(pushOf(0, 0, gradientOf(0, 0, length)));
  expect(await client.pull(1, new Float32Array(length))).toMatchObject({ ready: true, versions: [1, 1, 1] });
});

test('while the coordinator is away training goes on, and it is told once', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client();
  const away = new TributaryError('UNAVAILABLE', 'the coordinator is away');
  const placement = vi.spyOn(cluster.coordinator, 'placement').mockRejectedValue(away);
  const append = vi.spyOn(cluster.coordinator, 'appendMetrics').mockRejectedValue(away);
  for (let step = 0; step < 3; step++) {
    await client.pull(step, new Float32Array(length));
    expect(await client.push(pushOf(0, step, gradientOf(0, step, length)))).toMatchObject({
      outcome: 'applied',
    });
  }
  await expect.poll(() => placement.mock.calls.length).toBeGreaterThan(2);
  placement.mockRestore();
  append.mockRestore();
  await expect.poll(() => cluster.metrics()).toMatchObject([{ step: 0 }, { step: 1 }, { step: 2 }]);
});

test('a server that stops refuses what waits, at once', async () => {
  const cluster = await TestCluster.start(spec, 1);
  const client = cluster.client({ retryTotalMs: 0 });
  const waiting = expect(client.pull(5, new Float32Array(length))).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  await cluster.servers[0].stop();
  await waiting;
});

test('a server that stops lets a pull under way come to its end', async () => {
  const large = 2_000_000;
  const layout = { tensors: [{ name: 'w', shape: [large], offset: 0, length: large }], length: large };
  const cluster = await TestCluster.start(testSpec({ ranks: 1, layout }), 1, {
    initial: new Float32Array(large).fill(3),
  });
  const channel = openChannel(cluster.servers[0].address, 'auto');
  onTestFinished(() => channel.close());
  const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
  let received = 0;
  await channel.pull(
    {
      target,
      step: 0,
      latest: true,
      waitMs: 0,
      changedOnly: false,
      average: false,
      since: 0,
      encoding: 'F32',
    },
    {
      place: () => undefined,
      add({ data }) {
        if (received === 0) void cluster.servers[0].stop();
        received += data.length;
      },
    },
    { deadlineMs: 20_000 },
  );
  expect(received).toBe(4 * large);
  await cluster.servers[0].stopped;
});
