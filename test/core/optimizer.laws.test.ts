import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { optimizers } from '@tributary/core/optimizer/table.ts';
import { expect, test } from 'vitest';
import { caught } from './caught.ts';
import { elementVariants, optimizerVariants } from './optimizerVariants.ts';
import { randomVector } from './randomVector.ts';

const steps = 7;
const length = 1000;

/** Runs some steps over the ranges of the vector given by `cuts`, each with arrays of its own, and returns parameters and slots. */
function run(
  variant: (typeof elementVariants)[number],
  cuts: readonly number[],
  outOfPlace = false,
): Float32Array[] {
  const optimizer = createOptimizer(variant.spec);
  const learningRate = Number(optimizer.hyperparameters.learningRate);
  const state = [
    randomVector(1, length),
    ...optimizer.slots.map((slot) =>
      optimizer.beginSlot(slot, new Float32Array(length), randomVector(1, length)),
    ),
  ];
  for (let count = 1; count <= steps; count++) {
    const gradient = randomVector(count + 1, length);
    gradient.fill(0, 10, 20);
    for (let cut = 0; cut + 1 < cuts.length; cut++) {
      const part = (array: Float32Array) => array.subarray(cuts[cut], cuts[cut + 1]);
      const [parameters, ...slots] = state.map(part);
      const out = outOfPlace ? new Float32Array(parameters.length).fill(Number.NaN) : parameters;
      optimizer.update(out, parameters, part(gradient), slots, { count, learningRate });
      parameters.set(out);
    }
  }
  return state;
}

test('the variants have every row of the table', () => {
  expect(new Set(optimizerVariants.map(({ spec }) => spec.name))).toEqual(new Set(Object.keys(optimizers)));
});

test.each(elementVariants)('$title: any cut into shards gives the same bits', (variant) => {
  const whole = run(variant, [0, length]);
  expect(run(variant, [0, 1, 2, 3, 337, 338, 700, 999, length])).toEqual(whole);
  expect(whole.flatMap((array) => Array.from(array)).every(Number.isFinite)).toBe(true);
});

test.each(elementVariants)('$title: out of place gives the same bits as in place', (variant) => {
  expect(run(variant, [0, length], true)).toEqual(run(variant, [0, length]));
});

test.each(elementVariants)('$title: every parameter with a gradient moves', (variant) => {
  const [before, after] = [randomVector(1, length), run(variant, [0, length])[0]];
  // Of large ones a first step as short as that of Prodigy is below the last digit.
  const small = [...before.keys()].filter((index) => Math.abs(before[index]) < 1);
  const moved = small.filter((index) => before[index] !== after[index]).length;
  expect(small.length).toBeGreaterThan(length / 3);
  expect(moved).toBeGreaterThan(small.length * 0.95);
});

test.each(elementVariants)('$title: an update of no elements does nothing', (variant) => {
  const optimizer = createOptimizer(variant.spec);
  const empty = new Float32Array();
  const learningRate = Number(optimizer.hyperparameters.learningRate);
  const slots = optimizer.slots.map(() => empty);
  optimizer.update(empty, empty, empty, slots, { count: 1, learningRate });
  expect(empty.length).toBe(0);
});

test.each(optimizerVariants)('$title: arrays of different lengths are a broken invariant', (variant) => {
  const optimizer = createOptimizer(variant.spec);
  const slots = optimizer.slots.map(() => new Float32Array(3));
  const step = { count: 1, learningRate: Number(optimizer.hyperparameters.learningRate) };
  const three = new Float32Array(3);
  expect(() => optimizer.update(three, three, new Float32Array(2), slots, step)).toThrow('one length');
  expect(() => optimizer.update(three, three, three, [...slots, three], step)).toThrow('slots');
});

test.each(Object.keys(optimizers))('%s: bad hyperparameters are refused with what is possible', (name) => {
  const unknown = caught(() => createOptimizer({ name, hyperparameters: { lr: 0.1 } }));
  expect(unknown).toBeInstanceOf(TributaryError);
  expect(unknown).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `optimizer "${name}" has no option "lr"`,
  });
  expect(unknown.hint).toContain('learningRate (above 0');
  for (const learningRate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-60, true, '0.1' as never]) {
    const error = caught(() => createOptimizer({ name, hyperparameters: { learningRate } }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.hint).toMatch(/^It must be above 0\. Its options: .*\. Source: .+, \d{4}\.$/);
  }
});

test('an unknown optimizer is refused with the list of those there are', () => {
  const error = caught(() => createOptimizer({ name: 'adm', hyperparameters: {} }));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'there is no optimizer "adm"' });
  expect(error.hint).toBe(`Use one of: ${Object.keys(optimizers).join(', ')}.`);
  expect(caught(() => createOptimizer({ name: 'toString', hyperparameters: {} })).message).toContain(
    'toString',
  );
});

test('a switch takes no number, a decay rate no 1, and defaults fill the rest', () => {
  expect(caught(() => createOptimizer({ name: 'adam', hyperparameters: { amsgrad: 1 } })).hint).toMatch(
    /^It must be true or false/,
  );
  expect(caught(() => createOptimizer({ name: 'adam', hyperparameters: { beta2: 1 } })).hint).toMatch(
    /^It must be from 0 to below 1/,
  );
  const { hyperparameters, slots } = createOptimizer({
    name: 'adam',
    hyperparameters: { beta1: 0.8, amsgrad: true },
  });
  expect(hyperparameters).toEqual({
    learningRate: 0.001,
    beta1: 0.8,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    amsgrad: true,
  });
  expect(slots).toEqual(['m', 'v', 'vMax']);
});

test('ftrl refuses a learning rate that a schedule has changed', () => {
  const optimizer = createOptimizer({ name: 'ftrl', hyperparameters: { learningRate: 0.1 } });
  const one = new Float32Array(1);
  const error = caught(() => optimizer.update(one, one, one, [one, one], { count: 1, learningRate: 0.05 }));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('an average of the parameters: the first are soon forgotten, then it keeps its part', () => {
  const spec = { name: 'sgd', hyperparameters: { learningRate: 1 }, averageKeep: 0.5 };
  const optimizer = createOptimizer(spec);
  expect(optimizer.slots).toEqual(['average']);
  const parameters = Float32Array.of(8);
  const average = optimizer.beginSlot('average', new Float32Array(1), parameters);
  let expected = 8;
  for (let count = 1; count <= 20; count++) {
    optimizer.update(parameters, parameters, Float32Array.of(1), [average], { count, learningRate: 1 });
    const keep = Math.min(0.5, (1 + count) / (10 + count));
    expected = keep * expected + (1 - keep) * (8 - count);
    expect(average[0]).toBeCloseTo(expected, 5);
  }
  expect(
    caught(() => createOptimizer({ name: 'schedule-free', hyperparameters: {}, averageKeep: 0.5 })).line,
  ).toBe('optimizer "schedule-free" averages the parameters itself. Leave averaging out.');
});

test.each(optimizerVariants)('$title: with its defaults it goes downhill', ({ spec }) => {
  const optimizer = createOptimizer(spec);
  const learningRate = Number(optimizer.hyperparameters.learningRate);
  const shape = [12, 10];
  const parameters = new Float32Array(120);
  const target = Float32Array.from(parameters, (_, index) => Math.sin(index) + 2 * Math.cos(index * 1.3));
  const slots = optimizer
    .slotLayouts(createLayout([{ name: 'w', shape }]))
    .map(({ name, layout }) => optimizer.beginSlot(name, new Float32Array(layout.length), parameters));
  const loss = () => parameters.reduce((sum, value, index) => sum + (value - target[index]) ** 2 / 2, 0);
  const before = loss();
  for (let count = 1; count <= 200; count++) {
    const gradient = parameters.map((value, index) => value - target[index]);
    optimizer.update(parameters, parameters, gradient, slots, { count, learningRate }, shape);
  }
  expect(loss()).toBeLessThan(before);
});
