import { checkSchedule, learningRateAt, schedules } from '@tributary/core/optimizer/schedule.ts';
import { expect, test } from 'vitest';
import { caught } from './caught.ts';

const rates = (name: string, options: Record<string, number>, steps: readonly number[], base = 0.4) =>
  steps.map((step) => learningRateAt({ name, options }, base, step));

test('constant is the base itself, to the last bit', () => {
  expect(rates('constant', {}, [0, 1, 1e9], 0.1)).toEqual([0.1, 0.1, 0.1]);
});

test('step multiplies by the factor after every so many steps', () => {
  const options = { everySteps: 10, factor: 0.5 };
  expect(rates('step', options, [0, 9, 10, 19, 20, 35])).toEqual([0.4, 0.4, 0.2, 0.2, 0.1, 0.05]);
});

test('exponential is factor^(t / everySteps)', () => {
  for (const [t, rate] of rates(
    'exponential',
    { everySteps: 4, factor: 0.81 },
    [0, 1, 2, 3, 4, 8],
  ).entries()) {
    const step = [0, 1, 2, 3, 4, 8][t];
    expect(rate).toBeCloseTo(0.4 * Math.exp((Math.log(0.81) * step) / 4), 14);
  }
});

test('cosine falls from the base to its final factor by half a period, and stays there', () => {
  const [first, quarter, half, last, after] = rates(
    'cosine',
    { steps: 100, finalFactor: 0.1 },
    [0, 25, 50, 100, 500],
  );
  expect(first).toBe(0.4);
  expect(quarter).toBeCloseTo(0.4 * (0.1 + 0.9 * (0.5 + Math.SQRT2 / 4)), 14);
  expect(half).toBeCloseTo(0.4 * 0.55, 14);
  expect(last).toBeCloseTo(0.04, 14);
  expect(after).toBe(last);
});

test('ramp grows by the same factor at every step, up to the base', () => {
  const [first, second, half, last, after] = rates('ramp', { steps: 100, ratio: 1e4 }, [0, 1, 50, 100, 200]);
  expect(first).toBeCloseTo(0.4e-4, 14);
  expect(second / first).toBeCloseTo(1e4 ** 0.01, 12);
  expect(half).toBeCloseTo(0.4e-2, 14);
  expect([last, after]).toEqual([0.4, 0.4]);
});

test('polynomial falls as a power of what is left', () => {
  const options = { steps: 10, power: 2, finalFactor: 0.5 };
  const expected = [1, 0.5 + 0.5 * 0.64, 0.5 + 0.5 * 0.25, 0.5, 0.5].map((factor) => 0.4 * factor);
  for (const [index, rate] of rates('polynomial', options, [0, 2, 5, 10, 99]).entries()) {
    expect(rate).toBeCloseTo(expected[index], 14);
  }
});

test('one cycle rises from its initial factor to the base, and falls to its final one', () => {
  const options = { steps: 100, riseFraction: 0.25, initialFactor: 0.1, finalFactor: 0.01 };
  const expected = [0.1, 0.55, 1, 0.505, 0.01, 0.01].map((factor) => 0.4 * factor);
  for (const [index, rate] of rates('one-cycle', options, [0, 12.5, 25, 62.5, 100, 1000]).entries()) {
    expect(rate).toBeCloseTo(expected[index], 14);
  }
  expect(rates('one-cycle', { ...options, riseFraction: 1 }, [100])).toEqual([0.4 * 0.01]);
  expect(rates('one-cycle', { ...options, riseFraction: 0 }, [0])).toEqual([0.4]);
});

test('restarts: every period begins anew at the base, and is longer than the one before', () => {
  const options = { periodSteps: 4, growth: 3, finalFactor: 0.2 };
  const middle = 0.4 * 0.6;
  for (const [step, rate] of [
    [0, 0.4],
    [2, middle],
    [4, 0.4],
    [10, middle],
    [16, 0.4],
    [34, middle],
    [52, 0.4],
  ]) {
    expect(rates('restarts', options, [step])[0], `step ${step}`).toBeCloseTo(rate, 14);
  }
  expect(rates('restarts', { periodSteps: 5, growth: 1 }, [0, 5, 1e9])).toEqual([0.4, 0.4, 0.4]);
});

const required: Record<string, Record<string, number>> = {
  step: { everySteps: 7 },
  cosine: { steps: 50 },
  ramp: { steps: 50 },
  polynomial: { steps: 50 },
  'one-cycle': { steps: 50 },
  restarts: { periodSteps: 8 },
  plateau: { everySteps: 5 },
};

test.each(Object.keys(schedules))(
  '%s: the warm-up is a straight line up to the base, then the schedule begins',
  (name) => {
    const options = { ...required[name], warmupSteps: 5 };
    expect(rates(name, options, [0, 1, 2, 3, 4], 1)).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    expect(rates(name, options, [5], 1)[0]).toBeCloseTo(name === 'one-cycle' ? 0.04 : 1, 14);
    const without = required[name]?.steps === 50 ? { steps: 45 } : (required[name] ?? {});
    const later = [6, 12, 30, 60];
    expect(rates(name, options, later)).toEqual(
      rates(
        name,
        without,
        later.map((step) => step - 5),
      ),
    );
  },
);

test.each(Object.keys(schedules))('%s: never negative, never above the base', (name) => {
  for (let step = 0; step < 200; step++) {
    const [rate] = rates(name, { ...required[name], warmupSteps: 3 }, [step], 1);
    expect(rate).toBeGreaterThanOrEqual(0);
    expect(rate).toBeLessThanOrEqual(1);
  }
});

test('what cannot be is refused, and what can be is listed', () => {
  const refused = (name: string, options: Record<string, number>) => {
    const error = caught(() => checkSchedule({ name, options }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(caught(() => learningRateAt({ name, options }, 1, 0)).line).toBe(error.line);
    return error.line;
  };
  expect(refused('linear', {})).toBe(
    'there is no schedule "linear". Use one of: constant, step, exponential, cosine, ramp, polynomial, one-cycle, restarts, plateau.',
  );
  expect(refused('cosine', {})).toBe(
    'schedule "cosine" needs the option steps. Its options: steps (a whole number, 1 or more), ' +
      'finalFactor (from 0 to 1; 0 by default), warmupSteps (a whole number, 0 or more; 0 by default). ' +
      'Source: Loshchilov & Hutter, 2017.',
  );
  expect(refused('constant', { steps: 3 })).toContain('has no option "steps"');
  expect(refused('step', { everySteps: 2.5 })).toContain(
    'everySteps is 2.5. It must be a whole number, 1 or more.',
  );
  expect(refused('exponential', { factor: 1.5 })).toContain('It must be from 0 to 1.');
  expect(refused('exponential', { factor: Number.NaN })).toContain('factor is null');
  expect(refused('cosine', { steps: 10, warmupSteps: 10 })).toContain(
    'warmupSteps (10) must be less than steps (10)',
  );
});

test.each(Object.entries(schedules))(
  '%s: an option out of range is refused with the range and the source',
  (name, { source }) => {
    const options = { ...required[name], warmupSteps: -1 };
    const { line } = caught(() => checkSchedule({ name, options }));
    expect(line).toMatch(/warmupSteps is -1\. It must be a whole number, 0 or more\. Its options: /);
    expect(line).toMatch(new RegExp(` Source: ${source}\\.$`));
  },
);
