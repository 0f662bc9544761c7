import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '@tributary/core/checkpoint-format/safetensors.ts';
import { expect, test } from 'vitest';
import { curvatures, learningRate, minimum, start, steps } from './jobs/quadratic.ts';
import { jobFile, temporaryFolder, train } from './tributary.ts';

test('gradient descent on a convex quadratic is its closed form: each error shrinks by (1 - rate * curvature) per step', {
  timeout: 120_000,
}, async () => {
  const { checkpoint } = await train([jobFile('quadratic'), '--runs', temporaryFolder()]);
  const { flat } = decodeSafetensors(readFileSync(checkpoint));
  curvatures.forEach((curvature, index) => {
    const expected = minimum[index] + (start - minimum[index]) * (1 - learningRate * curvature) ** steps;
    expect(flat[index]).toBeCloseTo(expected, 5);
    // Not there yet in every direction, so that the formula is tested and not the minimum.
    expect(Math.abs(expected - minimum[index])).toBeGreaterThan(1e-4);
  });
});
