import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { describe, test } from 'vitest';
import { cases } from './cases.ts';
import { checkCase } from './oracle/checkCase.ts';

describe.each(['native', 'reference'] as const)('%s', async (name) => {
  const backend = await openBackend(name);
  test.each(Object.entries(cases))('%s', async (_, testCase) => {
    await checkCase(backend, testCase);
  });
});
