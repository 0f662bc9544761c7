import type { MetricEntry } from '@tributary/coordinator/Coordinator.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';
import { findRate, hasExploded } from '../../packages/cli/src/tune/findRate.ts';
import { rungsOf, survivors } from '../../packages/cli/src/tune/halve.ts';
import { noiseScale } from '../../packages/cli/src/tune/noiseScale.ts';
import { parseSearch, samplePoints } from '../../packages/cli/src/tune/searchSpace.ts';

const known = ['learningRate', 'batchSize', 'method', 'model'];

test('a search is read as ranges and choices', () => {
  expect(
    parseSearch('learningRate=1e-4..1e-1:log, batchSize=16..64,model=mlp|cnn,method=adam', known),
  ).toEqual([
    { name: 'learningRate', kind: 'range', from: 1e-4, to: 0.1, logarithmic: true, whole: false },
    { name: 'batchSize', kind: 'range', from: 16, to: 64, logarithmic: false, whole: true },
    { name: 'model', kind: 'choices', choices: ['mlp', 'cnn'] },
    { name: 'method', kind: 'choices', choices: ['adam'] },
  ]);
});

test.each([
  [
    'learningrate=1..2',
    /there is no "learningrate" to search\. Did you mean "learningRate"\? There are: learningRate, batchSize/,
  ],
  ['learningRate', /cannot be read at "learningRate"\. Write "/],
  ['learningRate=1..0.1', /learningRate goes from 1 to 0\.1\. A range goes from a number to a greater one\./],
  ['learningRate=0..1:log', /learningRate goes from 0 to 1.* with :log from above 0/],
  ['learningRate=1..2:lgo', /learningRate ends with ":lgo"\. A range may end with :log/],
  ['batchSize=1|2,batchSize=4', /names batchSize twice/],
])('a search that cannot be: %s', (text, says) => {
  let line = '';
  try {
    parseSearch(text, known);
  } catch (error) {
    line = (error as { line: string }).line;
  }
  expect(line).toMatch(says);
});

test('points: every combination if they are few; else each part of each dimension once', () => {
  const choices = parseSearch('batchSize=16|32,method=sgd|adam', known);
  expect(samplePoints(choices, 4, 1)).toEqual([
    { batchSize: 16, method: 'sgd' },
    { batchSize: 16, method: 'adam' },
    { batchSize: 32, method: 'sgd' },
    { batchSize: 32, method: 'adam' },
  ]);
  const points = samplePoints(parseSearch('learningRate=1e-4..1:log,batchSize=16|32', known), 8, 7);
  expect(points).toEqual(samplePoints(parseSearch('learningRate=1e-4..1:log,batchSize=16|32', known), 8, 7));
  const parts = points.map(({ learningRate }) =>
    Math.floor((Math.log10(learningRate as number) + 4) * 2 - 1e-9),
  );
  expect(parts.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(points.filter(({ batchSize }) => batchSize === 16)).toHaveLength(4);
});

test('rungs of successive halving: equal work on each, the last with the whole budget', () => {
  expect(rungsOf(9, 9, 1, 3)).toEqual([
    { passes: 1, contenders: 9 },
    { passes: 3, contenders: 3 },
    { passes: 9, contenders: 1 },
  ]);
  // No rung is shorter than the least.
  expect(rungsOf(27, 4, 1, 3)).toEqual([
    { passes: 4 / 3, contenders: 27 },
    { passes: 4, contenders: 9 },
  ]);
  expect(rungsOf(1, 5, 1, 3)).toEqual([{ passes: 5, contenders: 1 }]);
  expect(survivors([3, Number.NaN, 1, 2], (loss) => loss, 2)).toEqual([1, 2]);
});

test('the rate is where the loss falls fastest, the edge where it is least; what explodes is cut off', () => {
  const rateAt = (step: number) => 1e-4 * 10 ** (step / 20);
  // Falls as a sigmoid of the logarithm with its middle at 1e-2, and explodes after 1.
  const lossAt = (rate: number) => (rate > 1 ? 1e3 : 1 + 1 / (1 + rate / 1e-2) + 0.2 * rate);
  const metrics = Array.from(
    { length: 100 },
    (_, step): MetricEntry => ({
      ...{
        kind: 'step',
        step,
        loss: lossAt(rateAt(Math.max(0, step - 1))),
        examples: 8,
        timeMs: step,
        staleness: 0,
      },
    }),
  );
  const { rate, edge, curve } = findRate(metrics, rateAt);
  // The smoothing lags by some steps, of which twenty make a factor of ten.
  expect(rate).toBeGreaterThan(1e-2);
  expect(rate).toBeLessThan(4e-2);
  expect(edge).toBeGreaterThan(rate!);
  expect(edge).toBeLessThanOrEqual(1.2);
  expect(Math.max(...curve.map(({ loss }) => loss))).toBeLessThan(10);
  expect(hasExploded([1, 1, 1, 1, 1, Number.NaN])).toBe(true);

  const flat = metrics.map((entry): MetricEntry => ({ ...entry, loss: 1 }) as MetricEntry);
  expect(findRate(flat, rateAt)).toMatchObject({ rate: undefined, edge: undefined });
});

test('the noise scale of gradients drawn with a known one is found again', () => {
  const uniform = createUniforms(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  // 50 parameters, G = 0.1 each, so |G|^2 = 0.5; single gradients have variance 4 in each, so tr(S) = 200.
  const length = 50;
  const ranks = 4;
  const examples = 16;
  const metrics = Array.from({ length: 4000 }, (_, step): MetricEntry => {
    const gradients = Array.from({ length: ranks }, () =>
      Array.from({ length }, () => 0.1 + (normal() * 2) / Math.sqrt(examples)),
    );
    const squares = (vector: readonly number[]) => vector.reduce((sum, value) => sum + value * value, 0);
    const mean = gradients[0].map(
      (_, at) => gradients.reduce((sum, gradient) => sum + gradient[at], 0) / ranks,
    );
    const small = gradients.reduce((sum, gradient) => sum + squares(gradient), 0) / ranks;
    return {
      ...{ kind: 'noise', step, small, big: squares(mean) },
      ...{ smallExamples: examples, bigExamples: ranks * examples, nextSteps: 1, timeMs: 0 },
    };
  });
  const { examples: found, steps } = noiseScale(metrics);
  expect(steps).toBe(4000);
  expect(found).toBeGreaterThan(360);
  expect(found).toBeLessThan(440);
});
