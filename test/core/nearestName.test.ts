import { nearestName } from '@tributary/core/errors/nearestName.ts';
import { showValue } from '@tributary/core/errors/showValue.ts';
import { expect, test } from 'vitest';

test('the nearest name, if it is near', () => {
  const known = ['adam', 'adamw', 'nesterov', 'sgd'];
  expect(nearestName('Adm', known)).toBe('adam');
  expect(nearestName('nestorov', known)).toBe('nesterov');
  expect(nearestName('sgd', known)).toBe('sgd');
  expect(nearestName('traget', ['trace', 'target'])).toBe('target');
  expect(nearestName('newton', known)).toBeUndefined();
  expect(nearestName('x', [])).toBeUndefined();
});

test('a value is shown in one short line', () => {
  expect(showValue('16')).toBe("'16'");
  expect(showValue(-3)).toBe('-3');
  expect(showValue({ a: [1, 2, 3, 4, 5, 6], b: { c: { d: 1 } } })).toBe(
    '{ a: [ 1, 2, 3, 4, ... 2 more items ], b: { c: [Object] } }',
  );
  expect(showValue('x'.repeat(1000))).toHaveLength(60);
});
