import { expect, test } from 'vitest';
import { gradientOf, pushOf, sameBits, TestCluster, testSpec } from './testCluster.ts';

/** Parameters after three steps, of which one is skipped by all ranks. */
async function train(servers: number, clipping: { value?: number; norm?: number }): Promise<Float32Array> {
  const spec = testSpec({
    ranks: 2,
    clipping,
    optimizer: { name: 'momentum', hyperparameters: { learningRate: 0.1 } },
    layout: { tensors: [{ name: 'w', shape: [5000], offset: 0, length: 5000 }], length: 5000 },
  });
  const client = (await TestCluster.start(spec, servers)).client();
  const parameters = new Float32Array(5000);
  for (let step = 0; step < 3; step++) {
    expect(await client.pull(step, parameters)).toMatchObject({ ready: true });
    for (const rank of [1, 0]) {
      const gradient = step === 1 ? undefined : gradientOf(rank, step, 5000);
      const { outcome } = await client.push(pushOf(rank, step, gradient));
      // With peers a step closes when they have answered, not with the last push.
      expect(['waiting', 'applied']).toContain(outcome);
    }
  }
  expect(await client.pull(3, parameters)).toMatchObject({ ready: true });
  return parameters;
}

test('clipping by the norm of the whole gradient gives the same bits on any number of servers', async () => {
  const clipping = { value: 0.1, norm: 0.5 };
  const one = await train(1, clipping);
  expect(sameBits(await train(2, clipping), one)).toBe(true);
  expect(sameBits(await train(5, clipping), one)).toBe(true);
});

test('the norm of the mean gradient is held to the bound, after clipping by value', async () => {
  const spec = testSpec({
    ranks: 1,
    clipping: { value: 3, norm: 2 },
    layout: { tensors: [{ name: 'w', shape: [2], offset: 0, length: 2 }], length: 2 },
  });
  const client = (await TestCluster.start(spec, 1)).client();
  // Mean (10, 4) -> by value (3, 3) -> norm 2 at 45 degrees; times the learning rate 0.5.
  await client.push(pushOf(0, 0, Float32Array.of(20, 8)));
  const parameters = new Float32Array(2);
  await client.pull(1, parameters);
  expect(parameters[0]).toBeCloseTo(-Math.SQRT1_2, 6);
  expect(parameters[1]).toBeCloseTo(-Math.SQRT1_2, 6);
});
