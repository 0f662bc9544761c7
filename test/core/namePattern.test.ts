import {
  fillPattern,
  firstMatch,
  listNames,
  matchName,
  requireMatches,
} from '@tributary/core/layout/namePattern.ts';
import { expect, test } from 'vitest';
import { caught } from './caught.ts';

test('a star stands for any text, all else for itself', () => {
  expect(matchName('conv*', 'conv1/w')).toEqual(['1/w']);
  expect(matchName('conv*', 'conv')).toEqual(['']);
  expect(matchName('conv*/*', 'conv1/w')).toEqual(['1', 'w']);
  expect(matchName('conv1/w', 'conv1/w')).toEqual([]);
  expect(matchName('conv*', 'preconv1')).toBeUndefined();
  expect(matchName('a.c', 'abc')).toBeUndefined();
  expect(matchName('(a|b)[0]', '(a|b)[0]')).toEqual([]);
  expect(firstMatch(['b*', '*w', '*'], 'conv1/w')).toBe('*w');
  expect(firstMatch(['b*'], 'conv1/w')).toBeUndefined();
});

test('stars are filled in their order', () => {
  expect(fillPattern('features.*.weight*', ['1', 'x'])).toBe('features.1.weightx');
  expect(fillPattern('fc', ['1'])).toBe('fc');
  expect(fillPattern('a*b*', ['1'])).toBe('a1b*');
});

test('patterns that match nothing are named, with the tensors there are', () => {
  requireMatches('tensors', ['conv*', '*'], ['conv1/w']);
  expect(caught(() => requireMatches('tensors', ['conv*', 'heda*'], ['conv1/w', 'head/b'])).line).toBe(
    'tensors: no parameter of the model matches "heda*". Its parameters are conv1/w, head/b.',
  );
});

test('of very many names the first are shown', () => {
  const names = Array.from({ length: 100 }, (_, index) => `layers/${index}`);
  expect(listNames(names)).toMatch(/^layers\/0, .*, layers\/39, and 60 more$/);
});
