import { readRange } from '@tributary/coordinator/checkpoints/readRange.ts';
import { checkpointId } from '@tributary/core/checkpoint-format/checkpointId.ts';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { expect, test } from 'vitest';
import { gradientOf, pushOf, TestCluster, testSpec } from './testCluster.ts';

const averaged = { name: 'sgd', hyperparameters: { learningRate: 0.1 }, averageKeep: 0.9 };

test.each([
  ['a moving average', averaged],
  ["the method's own", { name: 'schedule-free', hyperparameters: { learningRate: 0.1 } }],
  ['none: the parameters', { name: 'sgd', hyperparameters: {} }],
])('what is evaluated is what a checkpoint gives: %s', async (_, optimizer) => {
  const spec = testSpec({ optimizer, ranks: 1, checkpointEverySteps: 3 });
  const { length } = spec.layout;
  const cluster = await TestCluster.start(spec, 2, {
    initial: Float32Array.from({ length }, (__, i) => i / length),
  });
  const client = cluster.client();
  const [parameters, evaluated] = [new Float32Array(length), new Float32Array(length)];
  for (let step = 0; step < 3; step++) {
    await client.pull(step, parameters);
    await client.push(pushOf(0, step, gradientOf(0, step, length)));
  }
  await client.pull(3, parameters);
  expect(await client.pullAverage(evaluated)).toMatchObject({ ready: true, versions: [3, 3] });
  const { shards } = cluster.placement;
  const parts = await Promise.all(shards.map((__, shard) => client.checkpointPart(shard, 3, 10_000)));
  const manifest = await cluster.writer.commitParts(checkpointId(1, 3), 3, shards, parts, 0);
  const file = await readRange(cluster.coordinator.checkpoints, manifest, 0, manifest.bytes);
  expect(decodeSafetensors(file).flat).toEqual(evaluated);
  if (optimizer.name === 'sgd' && !('averageKeep' in optimizer)) expect(evaluated).toEqual(parameters);
  else expect(evaluated).not.toEqual(parameters);
});
