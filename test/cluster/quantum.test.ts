import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';
import { temporaryFolder, train } from './tributary.ts';

const example = (name: string) =>
  fileURLToPath(new URL(`../../examples/quantum/${name}.ts`, import.meta.url));
const digits = (...flags: string[]) =>
  train([
    example('job'),
    '--runs',
    temporaryFolder(),
    '--per-class',
    '20',
    '--evaluate-every',
    '0',
    ...flags,
  ]);

/** The loss over the training data before each step. */
function losses({ checkpoint }: TrainSummary): number[] {
  const lines = readFileSync(join(dirname(checkpoint), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind === 'step')
    .map(({ loss }) => loss);
}

test.each([
  ['logistic', 'qaoa', 4],
  ['network', 'annealing', 16],
])(
  "%s by %s: within 2 percent of Newton-CG's loss, and the same bits for any number of processes that share the blocks",
  {
    timeout: 600_000,
  },
  async (model, method, steps) => {
    const job = ['--model', model, '--method', method, '--steps', `${steps}`];
    const one = await digits(...job, '--workers', '1', '--servers', '1');
    const found = losses(one);
    found.slice(1).forEach((loss, step) => {
      expect(loss).toBeLessThanOrEqual(found[step]);
    });
    const best = losses(await digits('--model', model, '--method', 'newton-cg', '--steps', '50'));
    expect(found.at(-1)! / best.at(-1)! - 1).toBeLessThan(0.02);

    const many = await digits(...job, '--workers', '3', '--servers', '2');
    expect(many.parametersSha256).toBe(one.parametersSha256);
    // How near QAOA came is told, and is the same too.
    expect(many.qaoa).toEqual(one.qaoa);
    if (method !== 'qaoa') expect(one.qaoa).toBeUndefined();
    else {
      const { blocks, approximationRatio, optima } = one.qaoa!;
      // 125 blocks of 4 parameters, solved 16 times a step at least.
      expect(blocks).toBeGreaterThanOrEqual(steps * 16 * 125);
      expect(approximationRatio).toBeGreaterThan(0.8);
      expect(approximationRatio).toBeLessThan(1);
      expect(optima).toBeGreaterThan(blocks / 2);
      expect(optima).toBeLessThanOrEqual(blocks);
    }
  },
);

test.each([
  ['adam', 'parameter-shift'],
  ['quantum-natural-gradient', 'autodiff'],
])(
  'a circuit and a linear head tell two digits apart, by %s and %s',
  {
    timeout: 600_000,
  },
  async (optimizer, differentiation) => {
    const method = ['--optimizer', optimizer, '--differentiation', differentiation];
    const flags = ['--runs', temporaryFolder(), '--epochs', '5', '--evaluate-every', '0', '--workers', '2'];
    const summary = await train([example('classifier'), ...method, ...flags]);
    expect(summary).toMatchObject({ evaluatedOn: 'test', compute: 'native' });
    expect(summary.accuracy).toBeGreaterThanOrEqual(0.95);
  },
);
