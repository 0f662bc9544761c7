import { numpy as np, random } from '@jax-js/jax';
import type { LastBatch } from '@tributary/core/job/JobSpec.ts';
import { initialParameters } from '@tributary/worker/autodiff/initialParameters.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { inMemory } from '@tributary/worker/data/inMemory.ts';
import type { BatchArrays, Model } from '@tributary/worker/job/Model.ts';
import { embedding, oneHot } from '@tributary/worker/nn/layers.ts';
import { crossEntropy } from '@tributary/worker/nn/losses.ts';
import { requireIndicesInRange } from '@tributary/worker/training/requireIndicesInRange.ts';
import { expect, test } from 'vitest';

type Tables = { readonly users: np.Array; readonly items: np.Array };

/** Scores of users for items, 5 and 8 of them: items count from `firstItem`. */
function ratings(firstItem: number, see: (batch: BatchArrays) => BatchArrays = (batch) => batch): Model {
  return {
    init: (key) => {
      const [users, items] = random.split(key, 2);
      return { users: random.normal(users, [5, 3]), items: random.normal(items, [8, 3]) };
    },
    loss: (parameters, batch) => {
      const { user, item } = see(batch);
      const { users, items } = parameters as Tables;
      const scores = embedding(users, user)
        .mul(embedding(items, item.sub(firstItem)))
        .sum(-1);
      return scores.mul(scores.ref).mean();
    },
  };
}

async function check(
  model: Model,
  fields: { user: number[]; item: number[] },
  { batchSize = 4, lastBatch = 'dropped' as LastBatch } = {},
) {
  const { flat, ...shape } = await initialParameters(model, 1);
  const program = new GradientProgram(await openBackend('native'), model, shape);
  const data = await inMemory({
    user: { data: fields.user, dtype: 'int32' },
    item: { data: fields.item, dtype: 'int32' },
  }).open();
  await requireIndicesInRange(
    { program, model, shape, parameters: flat, batchSize, lastBatch },
    data,
    'these',
  );
}

const user = [0, 1, 2, 3, 4, 0];

test('the example, the field and the range are named, of whichever field it is', async () => {
  await check(ratings(0), { user, item: [7, 6, 5, 4, 3, 2] });
  await expect(check(ratings(0), { user, item: [7, 6, 5, 4, 8, 0] })).rejects.toThrow(
    'example 4 of these, whose item is 8: the index 8 is out of range of the array it indexes, which goes from 0 to 7',
  );
  await expect(check(ratings(0), { user: [0, 5, 2, 3, 4, 0], item: [7, 0, 5, 4, 1, 3] })).rejects.toThrow(
    'example 1 of these, whose user is 5: the index 5 is out of range of the array it indexes, which goes from 0 to 4',
  );
});

test('an index that the model makes of a number of the data: both are named', async () => {
  await check(ratings(1000), { user, item: [1000, 1001, 1002, 1003, 1004, 1007] });
  await expect(check(ratings(1000), { user, item: [1000, 1001, 1002, 1003, 1008, 1004] })).rejects.toThrow(
    'example 4 of these, whose user is 4 and item is 1008: the index 8 is out of range',
  );
  await expect(check(ratings(1000), { user, item: [1000, 991, 1002, 1003, 1007, 1004] })).rejects.toThrow(
    'example 1 of these, whose item is 991: the index -9 is out of range',
  );
});

test('batches of one, of a size that the model knows, and padded', async () => {
  const good = { user, item: [7, 6, 5, 4, 3, 2] };
  const bad = { user, item: [7, 6, 5, 4, 3, 9] };
  const fixed = ratings(0, ({ user, item }) => ({ user: user.reshape([4]), item: item.reshape([4]) }));
  const weighted = ratings(0, ({ weight, ...batch }) => {
    expect(weight.shape).toEqual([4]);
    return batch;
  });
  const cases = [
    [ratings(0), { batchSize: 1 }],
    [fixed, {}],
    [weighted, { lastBatch: 'padded' as const }],
  ] as const;
  for (const [model, how] of cases) {
    await check(model, good, how);
    await expect(check(model, bad, how)).rejects.toThrow(
      'example 5 of these, whose item is 9: the index 9 is',
    );
  }
});

test.each<[string, (p: np.Array, y: np.Array) => np.Array]>([
  ['crossEntropy', (w, y) => crossEntropy(np.zeros([...y.shape, 4]).add(w), y)],
  ['embedding', (w, y) => embedding(w.reshape([4, 1]), y).mean()],
  ['oneHot', (w, y) => oneHot(y, 4).mul(w).mean()],
])('%s: a number that is none of its own is refused on either side', async (_, lossOf) => {
  const model: Model = {
    init: () => ({ w: np.array([1, 2, 3, 4]) }),
    loss: (parameters, { user }) => lossOf((parameters as { w: np.Array }).w, user),
  };
  const item = [0, 0, 0, 0];
  await check(model, { user: [0, 3, 1, 2], item });
  for (const wrong of [4, -1, -5]) {
    await expect(check(model, { user: [0, 3, wrong, 2], item }), `${wrong}`).rejects.toThrow(
      `example 2 of these, whose user is ${wrong}: the index `,
    );
  }
});
