import { createLayout } from '@tributary/core/layout/Layout.ts';
import { resolveTensors } from '@tributary/worker/job/tensorOptions.ts';
import { byDepth } from 'tributary';
import { expect, test } from 'vitest';

const layout = createLayout(
  ['conv1/w', 'conv2/w', 'dense/w', 'dense/b', 'head/w'].map((name) => ({ name, shape: [2] })),
);

test('deeper layers learn more slowly and begin later', () => {
  const rules = byDepth(['head*', 'dense*', ['conv1*', 'conv2*']], {
    rateFactor: 0.5,
    unfreezeEverySteps: 10,
  });
  expect(resolveTensors(rules, layout)).toEqual([
    { name: 'conv1/w', learningRateScale: 0.25, frozenUntil: 20 },
    { name: 'conv2/w', learningRateScale: 0.25, frozenUntil: 20 },
    { name: 'dense/w', learningRateScale: 0.5, frozenUntil: 10 },
    { name: 'dense/b', learningRateScale: 0.5, frozenUntil: 10 },
    { name: 'head/w', learningRateScale: 1, frozenUntil: 0 },
  ]);
});

test("by default the rates are the paper's, and nothing is frozen", () => {
  expect(byDepth(['head*', 'conv*'])).toEqual([
    { match: 'head*', learningRateScale: 1, frozenUntil: 0 },
    { match: 'conv*', learningRateScale: 1 / 2.6, frozenUntil: 0 },
  ]);
});
