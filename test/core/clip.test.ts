import { checkClipping, clipByValue, clipScale } from '@tributary/core/optimizer/clip.ts';
import { expect, test } from 'vitest';
import { caught } from './caught.ts';

test('a gradient longer than the bound is scaled to it, a shorter one is left alone', () => {
  expect(clipScale(10, 2)).toBe(0.2);
  expect(clipScale(2, 2)).toBe(1);
  expect(clipScale(0, 2)).toBe(1);
});

test('clipping by value holds every element within the bound', () => {
  const values = Float32Array.of(-3, -0.5, 0, 0.1, 0.5, 7, -0.1);
  clipByValue(values, 0.1);
  const bound = Math.fround(0.1);
  expect(Array.from(values)).toEqual([-bound, -bound, 0, bound, bound, bound, -bound]);
});

test('bounds are positive numbers', () => {
  checkClipping({});
  checkClipping({ value: 0.5, norm: 1e-3 });
  for (const bound of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1' as never, null as never]) {
    expect(caught(() => checkClipping({ norm: bound }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(caught(() => checkClipping({ value: bound }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
  expect(caught(() => checkClipping({ max: 1 } as never)).line).toBe(
    'clipping has no option "max". Its options: value (above 0), norm (above 0).',
  );
});
