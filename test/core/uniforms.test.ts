import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';

test('uniform numbers have the moments of a uniform distribution and no memory', () => {
  const random = createUniforms(42);
  const count = 100_000;
  let mean = 0;
  let square = 0;
  let neighbours = 0;
  let before = random();
  for (let i = 0; i < count; i++) {
    const x = random();
    expect(x >= 0 && x < 1).toBe(true);
    mean += x / count;
    square += (x * x) / count;
    neighbours += (x * before) / count;
    before = x;
  }
  // Five standard deviations: of x sqrt(1/12 n), of x^2 sqrt(4/45 n), of a product sqrt(7/144 n) and a little for the overlap.
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.0046);
  expect(Math.abs(square - 1 / 3)).toBeLessThan(0.0048);
  expect(Math.abs(neighbours - 1 / 4)).toBeLessThan(0.005);
});

test('the same seed and stream give the same numbers, others give others', () => {
  const take = (seed: number, stream?: number) => {
    const random = createUniforms(seed, stream);
    return Array.from({ length: 9 }, () => random());
  };
  expect(take(1)).toEqual(take(1));
  const all = [take(1), take(2), take(1, 1), take(2 ** 40 + 1)].flat();
  expect(new Set(all).size).toBe(all.length);
});
