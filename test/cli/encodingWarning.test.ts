import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { expect, test } from 'vitest';
import { encodingWarning } from '../../packages/cli/src/runs/encodingWarning.ts';
import { testSpec } from '../server/testCluster.ts';

const encoded = (name: string, change: Partial<JobSpec> = {}) =>
  testSpec({ ranks: 8, encoding: [{ begin: 0, end: 2500, codec: { name } }], ...change });

test('who encodes and sends more is told, and what to do', () => {
  expect(encodingWarning(encoded('bf16'), 2)).toMatch(/ 2\.0 times .* 8 ranks .* 2 workers; .*--ranks 2/);
  expect(encodingWarning(encoded('bf16'), 4)).toMatch(/ 1\.0 times/);
});

test('who saves something, or does not encode, hears nothing', () => {
  expect(encodingWarning(encoded('bf16'), 5)).toBeUndefined();
  expect(encodingWarning(encoded('sign'), 1)).toBeUndefined();
  expect(encodingWarning(encoded('bf16', { ranks: 2 }), 2)).toBeUndefined();
  // Asynchronous gradients travel rank by rank in any case.
  expect(encodingWarning(encoded('bf16', { staleness: 2 }), 1)).toBeUndefined();
  expect(encodingWarning(testSpec(), 1)).toBeUndefined();
});
