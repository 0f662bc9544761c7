import { numpy as np, random } from '@jax-js/jax';
import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import { initialParameters, layoutOf } from '@tributary/worker/autodiff/initialParameters.ts';
import type { Model, ParameterTree } from '@tributary/worker/job/Model.ts';
import { beforeAll, expect, test } from 'vitest';

beforeAll(initialiseJax);

const loss = () => np.array(0);
const model = (init: (key: np.Array) => unknown): Model => ({
  init: init as (key: np.Array) => ParameterTree,
  loss,
});

test('names are paths, in the order of insertion, and lists count from 0', () => {
  const { layout } = layoutOf(
    model((key) => ({
      zebra: { w: random.normal(key, [2, 3]), b: np.zeros([3]) },
      apples: [np.zeros([1]), { c: np.array(1) }],
    })),
  );
  expect(layout.tensors.map(({ name, shape, offset }) => [name, shape, offset])).toEqual([
    ['zebra/w', [2, 3], 0],
    ['zebra/b', [3], 6],
    ['apples/0', [1], 9],
    ['apples/1/c', [], 10],
  ]);
});

test('a tree that is one array has one tensor', () => {
  expect(layoutOf(model((key) => random.normal(key, [4]))).layout.tensors[0].name).toBe('parameters');
});

test('the seed alone decides the values', async () => {
  const init = (key: np.Array) => ({ w: random.normal(key, [5]) });
  const { flat } = await initialParameters(model(init), 7);
  expect((await initialParameters(model(init), 7)).flat).toEqual(flat);
  expect((await initialParameters(model(init), 8)).flat).not.toEqual(flat);
  expect(flat).toEqual(await random.normal(random.key(7), [5]).data());
});

test('shapes are found without computing the parameters', () => {
  const { layout } = layoutOf(model((key) => ({ w: random.normal(key, [50_000, 20_000]) })));
  expect(layout.length).toBe(1e9);
});

test.each([
  [
    'a number among the leaves',
    () => ({ w: np.zeros([2]), rate: 0.1 }),
    /parameter "rate" is a number, not an array/,
  ],
  ['a missing leaf', () => ({ w: undefined }), /parameter "w" is undefined/],
  ['integer leaves', () => ({ w: np.zeros([2], { dtype: np.int32 }) }), /parameter "w" has the type int32/],
  [
    'two leaves of one path',
    () => ({ 'a/b': np.zeros([1]), a: { b: np.zeros([1]) } }),
    /two parameters are named "a\/b"/,
  ],
])('refuses %s', (_, init, message) => {
  expect(() => layoutOf(model(init))).toThrow(message);
});

test('refuses an init that answers differently the second time', () => {
  let calls = 0;
  expect(() => layoutOf(model(() => ({ w: np.zeros([++calls]) })))).toThrow(
    /different parameters on its second call/,
  );
  expect(() => layoutOf(model(() => ({ [`w${++calls}`]: np.zeros([1]) })))).toThrow(/second call/);
});
