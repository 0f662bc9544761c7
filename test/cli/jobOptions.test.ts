import { expect, test } from 'vitest';
import { jobFile, run, temporaryFolder, train } from '../cluster/tributary.ts';

const choosable = jobFile('choosable');

test('options of the job file are flags, go to every worker, and hold for the commands after it', {
  timeout: 120_000,
}, async () => {
  const runs = temporaryFolder();
  const summary = await train([choosable, '--runs', runs, '--target', 'five', '--start=4.5']);
  expect(summary.options).toEqual({ target: 'five', start: 4.5 });
  expect(summary.loss).toBeLessThan(1e-4);

  // The trained parameters go with the data that they were trained on, unless something else is said.
  const evaluated = await run(['evaluate', choosable, '--runs', runs, '--json']);
  expect(JSON.parse(evaluated.stdout).loss).toBe(summary.loss);
  const other = await run(['evaluate', choosable, '--runs', runs, '--json', '--target', 'three']);
  expect(JSON.parse(other.stdout).loss).toBeCloseTo(4, 1);

  const resumed = await train([choosable, '--runs', runs, '--resume', '--steps', '60']);
  expect(resumed.options).toEqual({ target: 'five', start: 4.5 });
});
