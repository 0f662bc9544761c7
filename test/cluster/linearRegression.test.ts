import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { expect, test } from 'vitest';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';
import golden from '../fixtures/golden/linear-regression.json' with { type: 'json' };
import { run, temporaryFolder } from './tributary.ts';

const example = fileURLToPath(new URL('../../examples/linear-regression/job.ts', import.meta.url));

test("the article's example: the losses of every hundredth epoch, and w and b after a thousand", {
  timeout: 120_000,
}, async () => {
  const result = await run(['train', example, '--runs', temporaryFolder(), '--json']);
  expect(result.code, result.stderr).toBe(0);
  const expected = golden.train_w_and_b;

  const printed = [...result.stderr.matchAll(/^step (\d+) {2}loss ([\d.]+)$/gm)].map(([, step, loss]) => [
    Number(step),
    Number(loss),
  ]);
  expect(printed.map(([step]) => step)).toEqual(expected.loss_before_update_at_epoch.map(([epoch]) => epoch));
  for (const [index, [, loss]] of printed.entries()) {
    expect(Math.abs(loss - expected.loss_before_update_at_epoch[index][1])).toBeLessThan(1e-5);
  }

  const summary = JSON.parse(result.stdout) as TrainSummary;
  expect(summary.steps).toBe(1000);
  expect(Math.abs(summary.loss - expected.final_loss)).toBeLessThan(1e-5);
  const { layout, flat } = decodeSafetensors(readFileSync(summary.checkpoint));
  const [w, b] = ['w', 'b'].map(
    (name) => flat[layout.tensors.find((tensor) => tensor.name === name)!.offset],
  );
  expect(Math.abs(w - expected.w)).toBeLessThan(1e-5);
  expect(Math.abs(b - expected.b)).toBeLessThan(1e-5);
});
