import { createLayout } from '@tributary/core/layout/Layout.ts';
import { lengthOf, liveRanges, segmentsOf } from '@tributary/core/layout/segments.ts';
import { expect, test } from 'vitest';

const layout = createLayout([
  { name: 'a', shape: [10] },
  { name: 'b', shape: [5] },
  { name: 'nothing', shape: [0] },
  { name: 'c', shape: [] },
  { name: 'd', shape: [4] },
]);
const whole = { begin: 0, end: 20 };
const plain = { frozenUntil: 0, learningRateScale: 1, weightDecay: true };

test('without options a range is one segment, an empty one none', () => {
  expect(segmentsOf({ layout }, { begin: 3, end: 17 })).toEqual([{ begin: 3, end: 17, ...plain }]);
  expect(segmentsOf({ layout, tensors: [] }, { begin: 3, end: 3 })).toEqual([]);
});

test('a range is cut where the options change, and neighbours that are alike are one', () => {
  const tensors = [
    { name: 'b', learningRateScale: 0.1 },
    { name: 'c', learningRateScale: 0.1 },
    { name: 'd', weightDecay: false, frozenUntil: null },
  ];
  expect(segmentsOf({ layout, tensors }, whole)).toEqual([
    { begin: 0, end: 10, ...plain },
    { begin: 10, end: 16, ...plain, learningRateScale: 0.1 },
    { begin: 16, end: 20, ...plain, weightDecay: false, frozenUntil: Number.POSITIVE_INFINITY },
  ]);
  expect(
    segmentsOf({ layout, tensors }, { begin: 12, end: 17 }).map(({ begin, end }) => [begin, end]),
  ).toEqual([
    [12, 16],
    [16, 17],
  ]);
});

test('what is live grows from step to step', () => {
  const tensors = [
    { name: 'b', frozenUntil: 3 },
    { name: 'c', learningRateScale: 2 },
    { name: 'd', frozenUntil: null },
  ];
  const segments = segmentsOf({ layout, tensors }, whole);
  const live = (step: number) => liveRanges(segments, step);
  expect(live(2)).toEqual([
    { begin: 0, end: 10 },
    { begin: 15, end: 16 },
  ]);
  expect(live(3)).toEqual([{ begin: 0, end: 16 }]);
  expect([2, 3].map((step) => lengthOf(live(step)))).toEqual([11, 16]);
  expect(liveRanges(segmentsOf({ layout, tensors }, { begin: 16, end: 20 }), 9)).toEqual([]);
});
