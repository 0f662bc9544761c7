import { createLayout } from '@tributary/core/layout/Layout.ts';
import {
  type TrainedTensors,
  type TransferRules,
  transferParameters,
} from '@tributary/core/transfer/transferParameters.ts';
import { expect, test } from 'vitest';
import { caught } from '../core/caught.ts';

const model = createLayout([
  { name: 'conv1/w', shape: [2] },
  { name: 'conv2/w', shape: [2] },
  { name: 'dense/w', shape: [2, 3] },
  { name: 'head/w', shape: [2] },
]);
const initial = Float32Array.from({ length: 12 }, (_, index) => -index);

/** Tensors with the numbers from 1 on, each as many times 100 as its place says. */
function trained(shapes: Readonly<Record<string, readonly number[]>>): TrainedTensors {
  const layout = createLayout(Object.entries(shapes).map(([name, shape]) => ({ name, shape })));
  const flat = new Float32Array(layout.length);
  layout.tensors.forEach(({ offset, length }, place) => {
    for (let index = 0; index < length; index++) flat[offset + index] = (place + 1) * 100 + index + 1;
  });
  return { layout, flat, others: [{ name: 'seen', dtype: 'I64' }] };
}

const transfer = (source: TrainedTensors, rules?: TransferRules) =>
  transferParameters(model, initial, source, rules);

test('tensors go by their own name, whatever their order', () => {
  const shapes = { 'head/w': [2], 'dense/w': [2, 3], 'conv2/w': [2], 'conv1/w': [2] };
  const { flat, taken, reinitialised, unused, differences } = transfer(trained(shapes));
  expect([...flat]).toEqual([401, 402, 301, 302, 201, 202, 203, 204, 205, 206, 101, 102]);
  expect(taken).toEqual(['conv1/w', 'conv2/w', 'dense/w', 'head/w']);
  expect([reinitialised, unused, differences]).toEqual([[], ['seen'], []]);
});

test('names are mapped, matrices turned, and the head begins anew', () => {
  const source = trained({ 'net.1.weight': [2], 'net.2.weight': [2], 'fc.weight': [3, 2], old: [7] });
  const { flat, taken, reinitialised, unused, differences } = transfer(source, {
    map: { 'conv*/w': 'net.*.weight', 'dense/*': 'fc.weight' },
    transpose: ['dense*'],
    reinitialise: ['head*'],
  });
  expect(differences).toEqual([]);
  expect([...flat]).toEqual([101, 102, 201, 202, 301, 303, 305, 302, 304, 306, -10, -11]);
  expect(taken).toEqual(['conv1/w', 'conv2/w', 'dense/w']);
  expect(reinitialised).toEqual(['head/w']);
  expect(unused).toEqual(['old', 'seen']);
  expect(initial[4]).toBe(-4);
});

test('of two entries the first counts', () => {
  const source = trained({ a: [2], b: [2], 'dense/w': [2, 3] });
  const map = { conv1: 'none', 'conv1*': 'a', 'conv*': 'b', 'head*': 'b' };
  expect(caught(() => transfer(source, { map })).line).toBe(
    'start.map: no parameter of the model matches "conv1". Its parameters are conv1/w, conv2/w, dense/w, head/w.',
  );
  const { flat } = transfer(source, { map: { 'conv1*': 'a', 'conv*': 'b', 'head*': 'b' } });
  expect([...flat.subarray(0, 4), ...flat.subarray(10)]).toEqual([101, 102, 201, 202, 201, 202]);
});

test('all that does not fit is said at once', () => {
  const source = trained({ 'conv1/w': [3], 'dense/w': [3, 2], fc: [2] });
  const { differences, unused } = transfer(source, { map: { 'conv2*': 'seen', 'head*': 'last' } });
  expect(differences).toEqual([
    '"conv1/w" has the shape [3] instead of [2]',
    '"seen" is I64, not a float',
    '"dense/w" has the shape [3, 2] instead of [2, 3], but transposed it fits',
    '"head/w" is missing: there is no "last"',
  ]);
  expect(unused).toEqual(['fc']);
});
