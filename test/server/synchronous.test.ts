import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { addInto } from '@tributary/core/reduction/TreeSum.ts';
import { expect, test } from 'vitest';
import { gradientOf, pushOf, TestCluster, testSpec } from './testCluster.ts';

test.each([1, 2])('synchronous training on %i servers is a plain loop, bit for bit', async (servers) => {
  const spec = testSpec({ optimizer: { name: 'adam', hyperparameters: { learningRate: 0.1 } } });
  const { length } = spec.layout;
  const initial = Float32Array.from({ length }, (_, index) => index / length);
  const cluster = await TestCluster.start(spec, servers, { initial });
  const client = cluster.client();
  const parameters = new Float32Array(length);
  const steps = 3;
  for (let step = 0; step < steps; step++) {
    expect(await client.pull(step, parameters)).toMatchObject({ ready: true, clock: step, endStep: 100 });
    for (const rank of [2, 0, 3, 1]) {
      const { outcome } = await client.push(pushOf(rank, step, gradientOf(rank, step, length)));
      expect(outcome).toBe(rank === 1 ? 'applied' : 'waiting');
    }
  }
  expect(await client.pull(steps, parameters)).toMatchObject({
    ready: true,
    versions: new Array(servers).fill(steps),
  });

  let expected = initial;
  const optimizer = createOptimizer(spec.optimizer);
  const slots = optimizer.slots.map(() => new Float32Array(length));
  for (let step = 0; step < steps; step++) {
    const [a, b, c, d] = [0, 1, 2, 3].map((rank) => gradientOf(rank, step, length));
    addInto(a, b);
    addInto(c, d);
    addInto(a, c);
    const next = new Float32Array(length);
    optimizer.update(
      next,
      expected,
      a.map((value) => value / 8),
      slots,
      { count: step + 1, learningRate: 0.1 },
    );
    expected = next;
  }
  expect(parameters).toEqual(expected);
});
