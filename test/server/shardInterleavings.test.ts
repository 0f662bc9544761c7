import { fastest, slowest } from '@tributary/core/consistency/clocks.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { plainKernels } from '@tributary/core/kernels/plainKernels.ts';
import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { addInto } from '@tributary/core/reduction/TreeSum.ts';
import { coveringNodes, type RankRange, splitPoint } from '@tributary/core/reduction/tree.ts';
import { type ClosedStep, Shard } from '@tributary/server/shard/Shard.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gradientOf, sameBits, testSpec } from './testCluster.ts';

const length = 8;
const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };
const never = new AbortController().signal;

/** A shard of `spec.layout`, all zeros. */
function shardOf(
  spec: JobSpec,
  kernels: VectorKernels = createSimdKernels(),
): { shard: Shard; steps: ClosedStep[] } {
  const steps: ClosedStep[] = [];
  const optimizer = createOptimizer(spec.optimizer);
  const { length } = spec.layout;
  const shard = new Shard({
    range: { begin: 0, end: length },
    spec,
    kernels,
    state: {
      parameters: kernels.allocate(length),
      slots: optimizer.slots.map(() => kernels.allocate(length)),
      numbers: [],
      updates: 0,
      clocks: new Array<number>(spec.ranks).fill(0),
    },
    endStep: spec.steps,
    gatherSquares: (_, own) => Promise.resolve([own]),
    onStep: (step) => steps.push(step),
    onNoise: () => {},
    onSnapshot: (snapshot) => snapshot.release(),
    onRejected: () => {},
    log: () => {},
  });
  return { shard, steps };
}

async function latest(shard: Shard): Promise<Float32Array> {
  const pulled = await shard.pull({ step: 0, latest: true }, 0, never);
  if (!pulled.ready) throw new Error('latest is always there');
  const values = pulled.values.slice();
  pulled.release();
  return values;
}

/** The sum of a node, added along the tree: what a worker that holds all its ranks pushes. */
function nodeSum(node: RankRange, step: number): Float32Array {
  if (node.end - node.begin === 1) return gradientOf(node.begin, step, length);
  const middle = splitPoint(node);
  const sum = nodeSum({ begin: node.begin, end: middle }, step);
  addInto(sum, nodeSum({ begin: middle, end: node.end }, step));
  return sum;
}

const pushOf = (node: RankRange, step: number) => {
  const ranks = node.end - node.begin;
  const tokens = new Array<number>(ranks).fill(1);
  return {
    rankBegin: node.begin,
    rankEnd: node.end,
    step,
    tokens,
    weight: 2 * ranks,
    loss: ranks,
    squares: 0,
    encoding: 'F32',
    version: 0,
  };
};

function plainLoop(spec: JobSpec): Float32Array {
  const optimizer = createOptimizer(spec.optimizer);
  const slots = optimizer.slots.map(() => new Float32Array(length));
  let parameters = new Float32Array(length);
  for (let step = 0; step < spec.steps; step++) {
    const mean = nodeSum({ begin: 0, end: spec.ranks }, step).map((value) => value / (2 * spec.ranks));
    const next = new Float32Array(length);
    optimizer.update(next, parameters, mean, slots, { count: step + 1, learningRate: 0.1 });
    parameters = next;
  }
  return parameters;
}

test('synchronous: however ranks are grouped, pushes repeated, reordered and late, the parameters are the same bits', async () => {
  const scenarios = fc.record({
    ranks: fc.integer({ min: 1, max: 9 }),
    /** For each step and attempt: who holds which rank, so who pushes what; and in which order it arrives. */
    choices: fc.infiniteStream(fc.nat()),
  });
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ ranks, choices }) => {
      const spec = testSpec({
        ranks,
        steps: 4,
        layout,
        optimizer: { name: 'adam', hyperparameters: { learningRate: 0.1 } },
      });
      const { shard, steps } = shardOf(spec);
      const choose = (below: number) => choices.next().value! % below;
      for (let step = 0; step < spec.steps; step++) {
        // Several attempts at the step, each with the ranks dealt to workers anew, and pushes of steps before.
        const pushes: { node: RankRange; step: number }[] = [];
        for (let attempt = 0; attempt <= choose(3); attempt++) {
          const holders = Array.from({ length: ranks }, () => choose(3));
          for (const worker of [0, 1, 2]) {
            const held = holders.flatMap((holder, rank) => (holder === worker ? [rank] : []));
            for (const node of coveringNodes(held, ranks)) {
              pushes.push({ node, step });
              if (choose(3) === 0) pushes.push({ node, step });
              if (step > 0 && choose(3) === 0) pushes.push({ node, step: step - 1 - choose(step) });
            }
          }
        }
        for (let left = pushes.length; left > 0; left--) {
          const [push] = pushes.splice(choose(left), 1);
          const closedBefore = steps.length;
          const { outcome } = shard.push(pushOf(push.node, push.step), nodeSum(push.node, push.step));
          if (steps.length > closedBefore) expect(outcome).toBe('applied');
          else expect(push.step < closedBefore ? ['duplicate'] : ['duplicate', 'waiting']).toContain(outcome);
        }
        expect(shard.clock).toBe(step + 1);
      }
      expect(steps.map(({ step, loss, examples }) => [step, loss, examples])).toEqual(
        Array.from({ length: spec.steps }, (_, step) => [step, 0.5, 2 * ranks]),
      );
      expect(sameBits(await latest(shard), plainLoop(spec))).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test('asynchronous: each (rank, step) is applied once and in order of step, and no rank passes the bound', async () => {
  const scenarios = fc.record({
    ranks: fc.integer({ min: 1, max: 5 }),
    staleness: fc.constantFrom(1, 2, 5, null),
    arrivals: fc.array(fc.record({ rank: fc.nat(4), back: fc.integer({ min: -1, max: 3 }) }), {
      maxLength: 60,
    }),
  });
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ ranks, staleness, arrivals }) => {
      const { shard, steps } = shardOf(testSpec({ ranks, staleness, layout }));
      const expected = new Float32Array(length);
      const applied = new Array<number>(ranks).fill(0);
      for (const arrival of arrivals) {
        const rank = arrival.rank % ranks;
        const step = Math.max(0, applied[rank] - arrival.back);
        const push = pushOf({ begin: rank, end: rank + 1 }, step);
        const bound = slowest(applied) + (staleness ?? Number.POSITIVE_INFINITY);
        if (step > applied[rank] || (step === applied[rank] && step > bound)) {
          expect(() => shard.push(push, gradientOf(rank, step, length))).toThrow('cannot have begun');
          continue;
        }
        const { outcome } = shard.push(push, gradientOf(rank, step, length));
        expect(outcome).toBe(step === applied[rank] ? 'applied' : 'duplicate');
        if (outcome === 'duplicate') continue;
        applied[rank]++;
        const gradient = gradientOf(rank, step, length);
        for (let index = 0; index < length; index++) {
          expected[index] = Math.fround(
            expected[index] - Math.fround(0.5 * Math.fround(gradient[index] / 2)),
          );
        }
      }
      expect(shard.clocks).toEqual(applied);
      expect(fastest(applied) - slowest(applied)).toBeLessThanOrEqual(
        (staleness ?? Number.POSITIVE_INFINITY) + 1,
      );
      expect(steps).toHaveLength(applied.reduce((sum, count) => sum + count, 0));
      expect(sameBits(await latest(shard), expected)).toBe(true);
    }),
  );
});

test.each([
  { clipping: {}, staleness: 0 },
  { clipping: { value: 0.05 }, staleness: null },
  { clipping: { value: 0.2, norm: 0.5 }, staleness: 0 },
  { clipping: { norm: 0.5 }, staleness: null },
])('a shard on SIMD kernels has the bits of one on plain loops: %o', async (change) => {
  const length = 2051;
  const layout = { tensors: [{ name: 'w', shape: [length], offset: 0, length }], length };
  const optimizer = { name: 'adam', hyperparameters: { learningRate: 0.1 } };
  const spec = testSpec({ ...change, ranks: 3, layout, optimizer });
  const shards = [plainKernels, createSimdKernels()].map((kernels) => shardOf(spec, kernels).shard);
  for (let step = 0; step < 5; step++) {
    for (const rank of [2, 0, 1]) {
      // Weights that are a power of two, that are not, and that no float32 can hold.
      const weight = [4, 3, 2 ** 24 + 1][rank];
      const push = { ...pushOf({ begin: rank, end: rank + 1 }, step), weight, squares: 1e3 };
      for (const shard of shards) {
        const vector = shard.begin(push)!;
        vector.set(gradientOf(rank, step, length));
        shard.push(push, vector);
      }
    }
  }
  const [plain, simd] = [await latest(shards[0]), await latest(shards[1])];
  expect(plain.some((value) => value !== 0)).toBe(true);
  expect(sameBits(plain, simd)).toBe(true);
});
