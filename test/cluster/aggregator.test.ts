import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../client/TcpProxy.ts';
import { freePort } from '../support/freePort.ts';
import { childrenOf } from './childrenOf.ts';
import { jobFile, run, start, temporaryFolder, train } from './tributary.ts';

const long = ['--steps', '240', '--workers', '4'];

test('workers that share an aggregator train to the same bits, also when it is killed', {
  timeout: 240_000,
}, async () => {
  const runs = temporaryFolder();
  const direct = await train([jobFile('blobs'), '--runs', runs, ...long]);
  const running = start([
    ...['train', jobFile('blobs'), '--runs', runs, '--json', '--print-every', '1', '--aggregate', ...long],
  ]);
  await running.shows(/^step 60 /m);
  const aggregator = childrenOf(running.child.pid!).find(({ role }) => role === 'aggregator')!;
  process.kill(aggregator.pid, 'SIGKILL');
  const { code, stdout, stderr } = await running.ended;
  expect(stderr).toContain('aggregator 1: was killed by SIGKILL; started anew');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ steps: 240, parametersSha256: direct.parametersSha256 });
});

test('on two hosts with two workers each, what travels grows with the hosts', {
  timeout: 240_000,
}, async () => {
  const folder = temporaryFolder();
  const place = ['--coordinator', `sqlite:${join(folder, 'job.sqlite')}`, '--job', 'blobs'];
  const port = await freePort();
  const proxy = await TcpProxy.to(`127.0.0.1:${port}`);
  onTestFinished(() => proxy.close());
  start(['server', ...place, '--bind', `127.0.0.1:${port}`, '--advertise', proxy.address]);
  for (const host of [1, 2]) {
    const socket = `unix:${join(folder, `host-${host}.sock`)}`;
    start(['aggregator', ...place, '--bind', socket]);
    for (let worker = 0; worker < 2; worker++)
      start(['worker', jobFile('blobs'), ...place, '--aggregator', socket]);
  }
  const steps = 150;
  const flags = ['--servers', '1', '--workers', '4', '--steps', String(steps)];
  const controller = await run(['controller', jobFile('blobs'), ...place, ...flags]);
  expect(controller.code, controller.stderr).toBe(0);
  const evaluated = await run(['evaluate', jobFile('blobs'), ...place, '--json']);
  const alone = await train([
    ...[jobFile('blobs'), '--runs', folder, '--steps', String(steps)],
    ...['--workers', '1', '--servers', '1'],
  ]);
  expect(JSON.parse(evaluated.stdout).parametersSha256).toBe(alone.parametersSha256);
  // A gradient and a copy of the parameters for each of four workers, were there no aggregators.
  const direct = 4 * (alone.pushedBytes + alone.pulledBytes);
  const travelled = proxy.sentBytes + proxy.answeredBytes;
  expect(travelled).toBeGreaterThan(direct / 2);
  // Half, but for the first step, headers, and what the controller reads.
  expect(travelled).toBeLessThan(direct * 0.6);
});

test('wrong flags are refused in one line', async () => {
  const place = ['--coordinator', 'sqlite:/tmp/none.sqlite', '--job', 'blobs'];
  const host = await run(['aggregator', ...place, '--bind', '127.0.0.1:7070']);
  expect(host).toMatchObject({ code: 2, stderr: expect.stringContaining('It must be unix:PATH') });
  const file = join(temporaryFolder(), 'no', 'such', 'folder.sock');
  const nowhere = await run(['aggregator', ...place, '--bind', `unix:${file}`]);
  expect(nowhere).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/cannot listen on unix:.*folder\.sock/),
  });
});
