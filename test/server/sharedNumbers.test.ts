import { createLayout } from '@tributary/core/layout/Layout.ts';
import { expect, test } from 'vitest';
import { pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

/*
 * What an optimizer or a schedule knows beside vectors: the distance of Prodigy, the losses of a plateau. On any number of servers it is the same, and a
 * checkpoint keeps it.
 */
const layout = createLayout([
  { name: 'a', shape: [50, 40] },
  { name: 'b', shape: [1500] },
]);
const { length } = layout;
const optimum = Float32Array.from({ length }, (_, index) => Math.sin(index * 0.7));
const initial = new Float32Array(length).fill(0.5);

/** Trains on the mean of |p - optimum|, whose gradient is a sign; rank 0 alone. Parameters after each step. With `restartAt` from a checkpoint on other servers. */
async function train(
  change: Parameters<typeof testSpec>[0],
  {
    servers,
    steps,
    lossAt,
    restartAt,
  }: { servers: number; steps: number; lossAt: (step: number) => number; restartAt?: number },
): Promise<Float32Array[]> {
  const spec = testSpec({ layout, ranks: 1, checkpointEverySteps: restartAt ?? 0, ...change });
  const cluster = await TestCluster.start(spec, servers, { initial });
  let client = cluster.client();
  const parameters = new Float32Array(length);
  const path: Float32Array[] = [];
  for (let step = 0; step < steps; step++) {
    if (step === restartAt) {
      await cluster.moveToOneMore(client, step);
      client = cluster.client();
    }
    await client.pull(step, parameters);
    const gradient = parameters.map((value, index) => Math.sign(value - optimum[index]) * (1 + (index % 3)));
    await client.push(pushOf(0, step, gradient, { weight: 1, loss: lossAt(step) }));
    await client.pull(step + 1, parameters);
    path.push(parameters.slice());
  }
  return path;
}

/** Algorithm 4 of the paper in float64. */
function prodigyPath(steps: number): Float64Array[] {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const w = Math.sqrt(beta2);
  const x = Float64Array.from(initial);
  const [m, v, s] = [new Float64Array(length), new Float64Array(length), new Float64Array(length)];
  let [d, r] = [1e-3, 0];
  return Array.from({ length: steps }, () => {
    const g = x.map((value, index) => Math.sign(value - optimum[index]) * (1 + (index % 3)));
    let product = 0;
    let absolute = 0;
    const before = x.slice();
    for (let i = 0; i < length; i++) {
      m[i] = beta1 * m[i] + (1 - beta1) * d * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * d * d * g[i] * g[i];
      s[i] = w * s[i] + (1 - w) * d * d * g[i];
      absolute += Math.abs(s[i]);
      product += g[i] * (initial[i] - before[i]);
      x[i] -= (d * m[i]) / (Math.sqrt(v[i]) + d * epsilon);
    }
    r = w * r + (1 - w) * d * d * product;
    d = Math.max(d, r / absolute);
    return x.slice();
  });
}

test('Prodigy is its paper, with the distance over the whole model on any number of servers, and from a checkpoint', async () => {
  const optimizer = { name: 'prodigy', hyperparameters: { initialDistance: 1e-3 } };
  const lossAt = () => 1;
  const one = await train({ optimizer }, { servers: 1, steps: 25, lossAt });
  const several = await train({ optimizer }, { servers: 3, steps: 25, lossAt, restartAt: 12 });
  expect(one.every((parameters, step) => sameBits(parameters, several[step]))).toBe(true);
  const exact = prodigyPath(25);
  const moved = (parameters: ArrayLike<number>) =>
    Math.hypot(...Array.from(parameters, (value, i) => value - initial[i]));
  for (const [step, parameters] of one.entries()) {
    const error = Math.hypot(...parameters.map((value, index) => value - exact[step][index]));
    expect(error / moved(exact[step]), `step ${step}`).toBeLessThan(1e-3);
  }
  // The distance has grown: steps of the first would have moved by a part of this.
  expect(moved(exact[24]) / moved(exact[0])).toBeGreaterThan(100);
});

test('with clipping by the norm the sums travel together', async () => {
  const change = { optimizer: { name: 'prodigy', hyperparameters: {} }, clipping: { norm: 1 } };
  const given = { steps: 6, lossAt: () => 1 };
  const [one, two] = [
    await train(change, { servers: 1, ...given }),
    await train(change, { servers: 2, ...given }),
  ];
  expect(sameBits(one[5], two[5])).toBe(true);
});

test('a plateau of the loss lowers the rate on all servers at the same step, and a checkpoint knows how far it is', async () => {
  const schedule = { name: 'plateau', options: { everySteps: 2, factor: 0.25, patience: 0 } };
  const optimizer = { name: 'sgd', hyperparameters: { learningRate: 0.01 } };
  const lossAt = (step: number) => (step < 4 ? 4 - step : 3);
  const one = await train({ optimizer, schedule }, { servers: 1, steps: 9, lossAt });
  const several = await train({ optimizer, schedule }, { servers: 3, steps: 9, lossAt, restartAt: 5 });
  expect(one.every((parameters, step) => sameBits(parameters, several[step]))).toBe(true);
  const rates = one.map((parameters, step) => {
    const before = step === 0 ? initial : one[step - 1];
    return Math.abs(parameters[0] - before[0]);
  });
  // Means of the windows: 3.5, 1.5, 3, 3: it does not fall in the third and in the fourth.
  const expected = [0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.0025, 0.0025, 0.000625];
  for (const [step, rate] of rates.entries()) expect(rate, `step ${step}`).toBeCloseTo(expected[step], 6);
});
