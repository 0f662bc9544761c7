import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { expect, test } from 'vitest';
import { chooseMethod } from '../../packages/cli/src/compare/chooseMethod.ts';
import { compareTrials, middleTarget, type Trial } from '../../packages/cli/src/compare/compareTrials.ts';
import { parseMethods } from '../../packages/cli/src/compare/parseMethods.ts';
import { trialCurve } from '../../packages/cli/src/compare/trialCurve.ts';
import { createAxis } from '../../packages/cli/src/report/axis.ts';

test('methods are read with their options', () => {
  expect(parseMethods('sgd( learningRate=0.1 ), newton-cg')).toEqual([
    { label: 'sgd(learningRate=0.1)', optimizer: { name: 'sgd', hyperparameters: { learningRate: 0.1 } } },
    { label: 'newton-cg', optimizer: { name: 'newton-cg', hyperparameters: {} } },
  ]);
  expect(
    parseMethods('adam(amsgrad=true,batchSize=16),sgd(sampling=full),quantum(solver=qaoa)'),
  ).toMatchObject([
    { optimizer: { hyperparameters: { amsgrad: true } }, batchSize: 16 },
    { label: 'sgd(sampling=full)', sampling: 'full' },
    { optimizer: { name: 'quantum', hyperparameters: { solver: 'qaoa' } } },
  ]);
});

test.each([
  ['adm', /there is no optimizer "adm"\. Did you mean "adam"\? Use one of: sgd, .*newton-cg/],
  [
    'adam(learningrate=1)',
    /optimizer "adam" has no option "learningrate"\. Did you mean "learningRate"\? Its options/,
  ],
  ['sgd(learningRate=-1)', /optimizer "sgd": learningRate is -1\. It must be above 0/],
  ['sgd(learningRate=fast)', /optimizer "sgd": learningRate is "fast"\. It must be above 0/],
  ['quantum(solver=qoaa)', /solver is "qoaa"\. It must be one of annealing, qaoa, exact/],
  ['sgd(0.1)', /cannot be read at "sgd\(0\.1\)"\. Write names/],
  ['sgd,,adam', /cannot be read at ",adam"/],
  ['', /cannot be read at ""/],
  ['sgd(sampling=half)', /sampling is "half"\. It must be shuffled or full/],
  ['adam,sgd,adam', /names adam twice\. Several of one method must differ/],
])('methods that cannot be: %s', (text, says) => {
  expect(lineOf(() => parseMethods(text))).toMatch(says);
});

test('a curve leaves evaluations out of the time, and knows passes and bytes between what was told', () => {
  const usage = (member: string, step: number, examples: number): MetricEntry => ({
    ...{ kind: 'usage', member, step, examples, pushedBytes: examples * 4, pulledBytes: 0 },
    ...{ memoryBytes: 1, timeMs: 0 },
  });
  const step = (at: number, timeMs: number): MetricEntry => ({
    ...{ kind: 'step', step: at, loss: 1, examples: 50, timeMs, staleness: 0 },
  });
  const metrics: MetricEntry[] = [
    ...[usage('a', 2, 100), usage('a', 6, 500), usage('b', 6, 300)],
    ...[step(0, 1100), step(2, 1300)],
    { kind: 'evaluation', step: 4, loss: 0.5, accuracy: null, tookMs: 200, timeMs: 1700 },
    step(5, 1900),
  ];
  const curve = trialCurve({
    metrics,
    startedAtMs: 1000,
    trainSize: 100,
    firstLoss: 2,
    lastLoss: 0.25,
    steps: 6,
  });
  expect(curve).toEqual([
    { step: 0, timeMs: 0, passes: 0, pushedBytes: 0, loss: 2 },
    // Of a 100 and half of 400, of b two thirds of 300.
    { step: 4, timeMs: 500, passes: 5, pushedBytes: 2000, loss: 0.5 },
    { step: 6, timeMs: 700, passes: 8, pushedBytes: 3200, loss: 0.25 },
  ]);
});

const trial = (method: string, seed: number, loss: number, toTargetMs = 1000): Trial => ({
  ...{ method, seed, loss, accuracy: 0.9, trainMs: 4000, steps: 40, passes: 4, pushedBytes: 1e6 },
  ...{ memoryBytes: 1e8, inferenceMs: [1, 2, 3], folder: '' },
  curve: [
    { step: 0, timeMs: 0, passes: 0, pushedBytes: 0, loss: 3 },
    { step: 20, timeMs: toTargetMs, passes: 2, pushedBytes: 5e5, loss: loss + 0.01 },
    { step: 40, timeMs: 4000, passes: 4, pushedBytes: 1e6, loss },
  ],
});

test('trials are compared by method: means, spreads, and when the target was reached', () => {
  const trials = [
    trial('slow', 1, 0.5),
    trial('slow', 2, 0.7),
    trial('good', 1, 0.2),
    trial('good', 2, 0.2),
    trial('bad', 1, 2),
  ];
  expect(middleTarget(trials)).toBe(0.7);
  const [first, second, third] = compareTrials(trials, 0.6);
  expect([first.method, second.method, third.method]).toEqual(['good', 'slow', 'bad']);
  expect(second.loss.mean).toBeCloseTo(0.6);
  expect(second.loss.deviation).toBeCloseTo(Math.sqrt(0.02));
  expect(second).toMatchObject({ trials: 2, reached: 1, targetMs: { mean: 1000 } });
  expect(third.targetMs).toBeNull();
});

const setting = {
  ...{ parameters: 10, trainSize: 1000, processors: 2, budget: '4 passes', target: 0.5, seeds: 3 },
  ...{ evaluatedOn: 'test' as const, untuned: ['sgd'] },
};

test('of methods that end within their spread the one is chosen that was there first', () => {
  const trials = [
    trial('adam', 1, 0.2, 3000),
    trial('adam', 2, 0.4, 3000),
    trial('nadam', 1, 0.35),
    trial('nadam', 2, 0.32),
    trial('sgd', 1, 2),
  ];
  const choice = chooseMethod(
    compareTrials(trials, 0.5),
    [{ method: 'newton', reason: 'it is too large.' }],
    setting,
  )!;
  expect(choice.method).toBe('nadam');
  expect(choice.reasons.join(' ')).toMatch(
    /adam cannot be told from it.*sooner than by any other.*newton is out: it is too large\..*Learning rates of sgd are defaults/,
  );
  expect(chooseMethod(compareTrials([trial('sgd', 1, Number.NaN)], 1), [], setting)).toBeUndefined();
});

test('axes have round ticks, within their ends', () => {
  expect(createAxis(0, 10, false).ticks).toEqual([0, 2, 4, 6, 8, 10]);
  expect(createAxis(0.013, 0.021, false).ticks).toEqual([0.014, 0.016, 0.018, 0.02]);
  expect(createAxis(1e-4, 10, true).ticks).toEqual([1e-4, 1e-3, 1e-2, 0.1, 1, 10]);
  expect(createAxis(1, 100, true).at(10)).toBeCloseTo(0.5);
  // A logarithm of 0 there is none.
  expect(createAxis(0, 100, true).logarithmic).toBe(false);
  expect(createAxis(5, 5, false)).toMatchObject({ ticks: [5] });
});

function lineOf(work: () => unknown): string {
  try {
    work();
    return 'it did not throw';
  } catch (error) {
    return (error as { line: string }).line;
  }
}
