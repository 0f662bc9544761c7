import { bitsOf, isingEnergies, isingEnergy, toIsing } from '@tributary/core/quantum/ising/Ising.ts';
import { modelChange, type QuadraticModel } from '@tributary/core/quantum/ising/QuadraticModel.ts';
import { quboValue } from '@tributary/core/quantum/ising/Qubo.ts';
import { decodeStep, encodeModel, type StepEncoding } from '@tributary/core/quantum/ising/StepEncoding.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** Models whose numbers are small whole ones, and ranges that are multiples of the grid: then nothing is rounded. */
const wholeModels = fc
  .record({ n: fc.integer({ min: 1, max: 4 }), bits: fc.integer({ min: 1, max: 3 }) })
  .chain(({ n, bits }) => {
    const whole = fc.integer({ min: -9, max: 9 });
    return fc.record({
      bits: fc.constant(bits),
      gradient: fc.array(whole, { minLength: n, maxLength: n }),
      lower: fc.array(whole, { minLength: n * n, maxLength: n * n }),
      multiples: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: n, maxLength: n }),
    });
  })
  .map(({ bits, gradient, lower, multiples }) => {
    const n = gradient.length;
    const curvature = Float64Array.from(lower, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return lower[Math.max(i, j) * n + Math.min(i, j)];
    });
    const model: QuadraticModel = { gradient: Float64Array.from(gradient), curvature };
    const ranges = Float64Array.from(multiples, (multiple) => multiple * (2 ** bits - 1));
    return { model, encoding: { bits, ranges } satisfies StepEncoding };
  });

test('model, QUBO, Ising Hamiltonian and its diagonal agree to the last bit for every bit string', () => {
  fc.assert(
    fc.property(wholeModels, ({ model, encoding }) => {
      const qubo = encodeModel(model, encoding);
      const ising = toIsing(qubo);
      const diagonal = isingEnergies(ising);
      for (let b = 0; b < 2 ** qubo.size; b++) {
        const bits = bitsOf(b, qubo.size);
        const value = modelChange(model, decodeStep(encoding, bits));
        const all = [quboValue(qubo, bits), isingEnergy(ising, bits), diagonal[b]];
        if (all.some((energy) => energy !== value)) expect(all).toEqual([value, value, value]);
      }
    }),
    { numRuns: 40 },
  );
});

test('a step of k bits takes 2^k evenly spread values from -range to range', () => {
  const encoding = { bits: 3, ranges: Float64Array.of(7, 0.5) };
  const values = Array.from({ length: 8 }, (_, b) => decodeStep(encoding, bitsOf(b | (b << 3), 6)));
  expect(values.map(([first]) => first)).toEqual([-7, -5, -3, -1, 1, 3, 5, 7]);
  values.forEach(([, second], b) => {
    expect(second).toBeCloseTo(-0.5 + b / 7, 15);
  });
});
