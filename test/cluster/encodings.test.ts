import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { encodedRuns } from '@tributary/worker/job/encodings.ts';
import { topk } from 'tributary';
import { expect, test } from 'vitest';
import { jobFile, temporaryFolder, train } from './tributary.ts';

const layout = createLayout([
  { name: 'w1', shape: [16, 256] },
  { name: 'b1', shape: [256] },
  { name: 'w2', shape: [256, 3] },
  { name: 'b2', shape: [3] },
]);

test('with lossy encodings, too, the parameters are the same bits for any number of workers and servers', {
  timeout: 480_000,
}, async () => {
  const runs = temporaryFolder();
  const trained = [];
  for (const [workers, servers] of [
    [1, 1],
    [2, 3],
    [3, 2],
  ]) {
    // What is owed goes with a lease, and a busy machine must not cost one.
    const cluster = ['--workers', `${workers}`, '--servers', `${servers}`, '--lease-ms', '60000'];
    trained.push(await train([jobFile('encodedBlobs'), '--runs', runs, ...cluster]));
  }
  expect(new Set(trained.map(({ parametersSha256 }) => parametersSha256)).size).toBe(1);
  for (const { encoding, pullEncoding, accuracy } of trained) {
    expect([encoding, pullEncoding]).toEqual(['topk and f32 and int8', 'bf16']);
    expect(accuracy).toBeGreaterThan(0.9);
  }

  // Eight ranks, sixty steps, and no worker was killed: the traffic is known to the byte.
  const w1 = topk({ density: 0.05 });
  const encoding = encodedRuns({ 'b*': 'f32', w1, '*': 'int8' }, layout)!;
  const { bytes } = new JobEncoding({ layout, encoding }).at(0);
  expect(trained[0].pushedBytes).toBe(60 * 8 * bytes);
  expect(trained[0].pulledBytes).toBe(60 * 2 * layout.length);
});

test('asynchronous ranks encode as well, and the norm of what is clipped is that of what arrives', {
  timeout: 240_000,
}, async () => {
  const flags = [
    '--runs',
    temporaryFolder(),
    '--staleness',
    'infinity',
    '--encoding',
    'sign',
    '--lease-ms',
    '60000',
  ];
  // The ranks of one worker take turns, so its result is known, and the norm that it tells is that of all shards.
  const [one, several] = [
    await train([jobFile('blobs'), ...flags, '--workers', '1', '--servers', '1']),
    await train([jobFile('blobs'), ...flags, '--workers', '1', '--servers', '3']),
  ];
  expect(several.parametersSha256).toBe(one.parametersSha256);
  expect(one.accuracy).toBeGreaterThan(0.9);
  // Of two workers who comes first is chance, and what so few steps of one bit reach with it. What is sent is not.
  const two = await train([jobFile('blobs'), ...flags]);
  const encoding = [{ begin: 0, end: layout.length, codec: { name: 'sign' } }];
  const { bytes } = new JobEncoding({ layout, encoding }).at(0);
  for (const { encoding: name, pushedBytes } of [one, two])
    expect([name, pushedBytes]).toEqual(['sign', 60 * 8 * bytes]);
});

test('parameters that come as changes are the same bits for any number of workers and servers, too', {
  timeout: 240_000,
}, async () => {
  const runs = temporaryFolder();
  const flags = ['--runs', runs, '--pull-encoding', 'delta', '--lease-ms', '60000'];
  const [one, several] = [
    await train([jobFile('blobs'), ...flags, '--workers', '1', '--servers', '1']),
    await train([jobFile('blobs'), ...flags, '--workers', '3', '--servers', '2']),
  ];
  expect(several.parametersSha256).toBe(one.parametersSha256);
  expect(one.pullEncoding).toBe('delta');
  expect(one.accuracy).toBeGreaterThan(0.9);
  await expect(train([jobFile('blobs'), ...flags, '--staleness', '1'])).rejects.toThrow('staleness is 1');
});
