import { createLayout, tensorAt } from '@tributary/core/layout/Layout.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { expect, test } from 'vitest';
import { caught } from './caught.ts';

const layout = createLayout([
  { name: 'kernel', shape: [2, 3] },
  { name: 'nothing', shape: [0, 5] },
  { name: 'scale', shape: [] },
  { name: 'bias', shape: [4] },
]);

test('tensors lie end to end in the given order', () => {
  expect(layout.length).toBe(11);
  expect(layout.tensors.map(({ name, offset, length }) => [name, offset, length])).toEqual([
    ['kernel', 0, 6],
    ['nothing', 6, 0],
    ['scale', 6, 1],
    ['bias', 7, 4],
  ]);
});

test('every element is found in the tensor that holds it', () => {
  const holders = Array.from({ length: 11 }, (_, index) => tensorAt(layout, index).name);
  expect(holders).toEqual([...new Array(6).fill('kernel'), 'scale', 'bias', 'bias', 'bias', 'bias']);
});

test('names that are not unique, shapes that are none, and models that are too large are refused', () => {
  const twice = [
    { name: 'w', shape: [1] },
    { name: 'w', shape: [2] },
  ];
  expect(caught(() => createLayout(twice))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'two parameters are named "w"',
  });
  for (const shape of [[-1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
    expect(caught(() => createLayout([{ name: 'w', shape }]))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
  for (const shape of [[2 ** 32], [2 ** 600, 2 ** 600]]) {
    expect(caught(() => createLayout([{ name: 'w', shape }]))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  }
  const many = Array.from({ length: limits.tensorsMax + 1 }, (_, index) => ({ name: `${index}`, shape: [] }));
  expect(caught(() => createLayout(many))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
});
