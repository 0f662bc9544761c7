import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';
import { pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

/* Gradients with a signal that dies away under noise that stays, pushed to real servers: the batch grows, the same on all of them. */

const [length, ranks, weight, steps] = [2500, 2, 2, 40];
const uniform = createUniforms(3);
/** By step and rank. */
const gradients = Array.from({ length: steps }, (_, step) =>
  Array.from({ length: ranks }, () =>
    Float32Array.from({ length }, () => 0.5 * 0.85 ** step + (uniform() - 0.5)),
  ),
);
const adaptiveBatch = { stepsMax: 5, memory: 0.5, rate: 'linear' } as const;
const rate = 0.05;

const squared = (vector: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i] ** 2;
  return sum;
};

/** What ranks of one node push together: the sum of (examples x gradient), and the squares that go with it. */
function pushSum(step: number, begin: number, end: number) {
  const held = gradients[step].slice(begin, end);
  const gradient = held
    .map((values) => values.map((value) => value * weight))
    .reduce((sum, values) => sum.map((value, i) => value + values[i]));
  const squares = held.reduce((sum, values) => sum + weight * squared(values), 0);
  const node = { ranks: { begin, end }, tokens: held.map(() => 1), weight: weight * held.length, squares };
  return { ...pushOf(begin, step, gradient), ...node };
}

/** Parameters after every step; from `restartAt` on servers that are one more, from a checkpoint. */
async function train(servers: number, together: boolean, restartAt?: number) {
  const spec = testSpec({
    ...{ ranks, steps, batchSize: weight, adaptiveBatch, checkpointEverySteps: restartAt ?? 0 },
    optimizer: { name: 'sgd', hyperparameters: { learningRate: rate }, averageKeep: 0.9, accumulates: true },
  });
  const cluster = await TestCluster.start(spec, servers);
  let client = cluster.client();
  const parameters = new Float32Array(length);
  const path: Float32Array[] = [];
  for (let step = 0; step < steps; step++) {
    if (step === restartAt) {
      await cluster.moveToOneMore(client, step);
      client = cluster.client();
    }
    await client.pull(step, parameters);
    const nodes = together
      ? [[0, 2]]
      : [
          [1, 2],
          [0, 1],
        ];
    for (const [begin, end] of nodes) await client.push(pushSum(step, begin, end));
    if (step + 1 < steps) await client.pull(step + 1, parameters);
    // Nothing waits for what follows the last step.
    else await expect.poll(async () => (await client.pullLatest(parameters)).clock).toBe(steps);
    path.push(parameters.slice());
  }
  const average = new Float32Array(length);
  await client.pullAverage(average);
  return { cluster, path, average };
}

/** The same in float64, from the paper's formulas: parameters after every step, and the steps of every update. */
function plainPath() {
  const parameters = new Float64Array(length);
  const path: Float64Array[] = [];
  const counts: number[] = [];
  let [wanted, noise, signal] = [1, 0, 0];
  let open: Float32Array[][] = [];
  for (let step = 0; step < steps; step++) {
    open.push(gradients[step]);
    if (open.length === wanted || step === steps - 1) {
      const all = open.flat();
      const mean = Float64Array.from(
        { length },
        (_, i) => all.reduce((sum, gradient) => sum + gradient[i], 0) / all.length,
      );
      const [small, big] = [all.reduce((sum, one) => sum + squared(one), 0) / all.length, squared(mean)];
      const [b, B] = [weight, weight * all.length];
      noise = 0.5 * noise + 0.5 * ((small - big) / (1 / b - 1 / B));
      signal = 0.5 * signal + 0.5 * ((B * big - b * small) / (B - b));
      for (let i = 0; i < length; i++) parameters[i] -= rate * open.length * mean[i];
      counts.push(open.length);
      const scale = signal > 0 ? noise / signal : Number.POSITIVE_INFINITY;
      if (counts.length >= 2)
        wanted = Math.min(Math.max(1, Math.round(scale / (ranks * weight))), 2 * wanted, 5);
      open = [];
    }
    path.push(parameters.slice());
  }
  return { path, counts };
}

test('the batch grows with the noise scale as the formulas say; the same bits for any number of servers and any grouping, and from a checkpoint within a batch', async () => {
  const { path: exact, counts } = plainPath();
  expect(new Set(counts).size).toBeGreaterThan(3);
  expect(counts.slice(0, 3)).toEqual([1, 1, 1]);
  expect(counts.slice(-3)).toEqual([5, 5, expect.any(Number)]);

  const one = await train(1, true);
  for (const [step, parameters] of one.path.entries()) {
    const error = Math.hypot(...parameters.map((value, i) => value - exact[step][i]));
    expect(error, `step ${step}`).toBeLessThan(1e-4 * Math.hypot(...exact[step]));
  }
  const told = async () =>
    (await one.cluster.metrics())
      .filter((entry) => entry.kind === 'noise')
      .map(({ bigExamples }) => bigExamples / (ranks * weight));
  await expect.poll(told).toEqual(counts);

  // 33 steps are so many whole updates and a part of one.
  let within = 0;
  for (const count of counts) if (within + count <= 33) within += count;
  expect(within).toBeLessThan(33);
  const several = await train(2, false, 33);
  expect(one.path.every((parameters, step) => sameBits(parameters, several.path[step]))).toBe(true);
  expect(sameBits(one.average, several.average)).toBe(true);
});
