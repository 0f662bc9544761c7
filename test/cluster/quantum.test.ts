import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parameterHash } from '../../packages/cli/src/parameters/parameterHash.ts';
import type { TrainSummary } from '../../packages/cli/src/runs/TrainSummary.ts';
import { trainHere } from '../examples/trainHere.ts';
import { temporaryFolder, train } from './tributary.ts';

const example = (name: string) =>
  fileURLToPath(new URL(`../../examples/quantum/${name}.ts`, import.meta.url));
const perClass = 20;

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
    const here = (method: string, steps: number) =>
      trainHere(example('job'), {
        ...{ steps, evaluateEvery: 0, options: { model, method, 'per-class': perClass } },
      });
    const many = await train([
      ...[example('job'), '--model', model, '--method', method, '--per-class', `${perClass}`],
      ...['--steps', `${steps}`, '--evaluate-every', '0', '--runs', temporaryFolder()],
      ...['--workers', '3', '--servers', '2'],
    ]);
    const found = losses(many);
    found.slice(1).forEach((loss, step) => {
      expect(loss).toBeLessThanOrEqual(found[step]);
    });
    const best = await here('newton-cg', 50);
    expect(found.at(-1)! / best.progress.loss - 1).toBeLessThan(0.02);

    const one = await here(method, steps);
    expect(one.progress.loss).toBe(found.at(-1));
    expect(parameterHash(one.flat)).toBe(many.parametersSha256);
    // How near QAOA came is told, and is the same too.
    expect(many.qaoa).toEqual(one.progress.qaoa);
    if (method !== 'qaoa') expect(many.qaoa).toBeUndefined();
    else {
      const { blocks, approximationRatio, optima } = many.qaoa!;
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
