import { checkpointId } from '@tributary/core/checkpoint-format/checkpointId.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { rangeInSlot } from '@tributary/core/layout/slotLayout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { shardRanges } from '@tributary/core/optimizer/shardRanges.ts';
import { ShardUpdate } from '@tributary/server/shard/ShardUpdate.ts';
import { expect, test } from 'vitest';
import { optimizerVariants } from '../core/optimizerVariants.ts';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

const layout = createLayout([
  { name: 'dense1/w', shape: [30, 50] },
  { name: 'dense1/b', shape: [50] },
  { name: 'empty', shape: [0, 5] },
  { name: 'kernel', shape: [40, 3, 3] },
  { name: 'scale', shape: [] },
  { name: 'dense2/w', shape: [50, 20] },
  { name: 'dense2/b', shape: [20] },
]);
const { length } = layout;
const tensors = [
  { name: 'dense1/b', weightDecay: false },
  { name: 'kernel', frozenUntil: 2 },
  { name: 'dense2/w', learningRateScale: 0.5 },
];

test.each(optimizerVariants)(
  '$title: any number of shards gives the same bits, tensor options included',
  ({ spec: optimizer }) => {
    const row = optimizer.name === 'ftrl' ? { tensors: tensors.slice(1) } : { tensors };
    const spec = testSpec({ layout, optimizer, ...row });
    const { slots, slotLayouts, beginSlot } = createOptimizer(optimizer);
    const run = (servers: number): Float32Array[] => {
      const whole = Float32Array.from({ length }, (_, index) => Math.cos(index));
      const wholeSlots = slotLayouts(layout).map((slot) => new Float32Array(slot.layout.length));
      for (const range of shardRanges(spec, servers)) {
        const kernels = createSimdKernels();
        const update = new ShardUpdate(spec, range, kernels);
        const size = range.end - range.begin;
        const [out, gradient] = [kernels.allocate(size), kernels.allocate(size)];
        out.set(whole.subarray(range.begin, range.end));
        const places = slotLayouts(layout).map((slot) => rangeInSlot(layout, slot.layout, range));
        const state = places.map(({ begin, end }, index) =>
          beginSlot(slots[index], kernels.allocate(end - begin), out),
        );
        for (let step = 0; step < 4; step++) {
          gradient.set(gradientOf(0, step, length).subarray(range.begin, range.end));
          update.apply(out, out, gradient, state, { step, updates: step + 1 });
        }
        whole.set(out, range.begin);
        for (const [index, values] of state.entries()) wholeSlots[index].set(values, places[index].begin);
      }
      return [whole, ...wholeSlots];
    };
    const one = run(1);
    for (const servers of [2, 3, 5])
      expect(run(servers).every((values, index) => sameBits(values, one[index]))).toBe(true);
  },
);

test('on servers: no tensor is cut, clipping by norm is the same, and a checkpoint goes on bit for bit on another number of them', async () => {
  const spec = testSpec({
    ...{ layout, ranks: 2, steps: 9, checkpointEverySteps: 2, clipping: { norm: 0.3 } },
    optimizer: { name: 'soap', hyperparameters: { basisEverySteps: 1, sideMax: 40 } },
  });
  const initial = Float32Array.from({ length }, (_, index) => Math.cos(index));
  const parameters = new Float32Array(length);
  const results: Float32Array[] = [];
  for (const servers of [1, 3]) {
    const cluster = await TestCluster.start(spec, servers, { initial });
    const train = async (from: number, to: number) => {
      const client = cluster.client();
      for (let step = from; step < to; step++) {
        await client.pull(step, parameters);
        for (const rank of [0, 1]) await client.push(pushOf(rank, step, gradientOf(rank, step, length)));
      }
      await client.pull(to, parameters);
      results.push(parameters.slice());
      return client;
    };
    const client = await train(0, 4);
    expect(cluster.placement.shards.map(({ begin }) => begin)).toEqual(servers === 1 ? [0] : [0, 1500, 1911]);
    const parts = await Promise.all(
      cluster.placement.shards.map((_, shard) => client.checkpointPart(shard, 2, 10_000)),
    );
    const { id } = await cluster.writer.commitParts(
      checkpointId(1, 2),
      2,
      cluster.placement.shards,
      parts,
      0,
    );
    for (let extra = 0; extra < 2; extra++) await cluster.startServer();
    await cluster.place(2, id);
    await train(2, 4);
  }
  expect(results.every((result) => sameBits(result, results[0]))).toBe(true);
});
