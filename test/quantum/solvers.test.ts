import { bitsOf, type Ising, isingEnergies, isingEnergy } from '@tributary/core/quantum/ising/Ising.ts';
import { descend } from '@tributary/core/quantum/solve/descend.ts';
import { exactMinimum } from '@tributary/core/quantum/solve/exactMinimum.ts';
import { nelderMead } from '@tributary/core/quantum/solve/nelderMead.ts';
import { prepareQaoaState, qaoa } from '@tributary/core/quantum/solve/qaoa.ts';
import { quantumAnnealing } from '@tributary/core/quantum/solve/quantumAnnealing.ts';
import { diagonalExpectation } from '@tributary/core/quantum/state/pauli.ts';
import { squaredNorm, zeroState } from '@tributary/core/quantum/state/StateVector.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';
import { ferromagneticRing, plantedIsing, randomIsing } from './isings.ts';

test('the exact solver finds what trying all bit strings finds', () => {
  for (let seed = 0; seed < 5; seed++) {
    const ising = randomIsing(9, seed);
    const energies = Array.from({ length: 512 }, (_, b) => isingEnergy(ising, bitsOf(b, 9)));
    const { bits, energy } = exactMinimum(ising);
    expect(energy).toBeCloseTo(Math.min(...energies), 12);
    expect(isingEnergy(ising, bits)).toBeCloseTo(energy, 12);
  }
});

test('Nelder-Mead finds the bottom of the Rosenbrock valley', () => {
  const rosenbrock = ([x, y]: Float64Array) => (1 - x) ** 2 + 100 * (y - x * x) ** 2;
  const start = Float64Array.of(-1.2, 1);
  const { point, value, evaluations } = nelderMead(rosenbrock, start, {
    spread: 0.5,
    tolerance: 1e-12,
    evaluationsMax: 400,
  });
  expect(point[0]).toBeCloseTo(1, 4);
  expect(point[1]).toBeCloseTo(1, 4);
  expect(value).toBeLessThan(1e-10);
  expect(evaluations).toBeLessThan(400);
});

test('QAOA of depth 1 on a ring has the known optimum: 3/4 of the edges suit', () => {
  // Farhi, Goldstone & Gutmann, section 5: the ring of disagrees at depth p reaches (2p + 1) / (2p + 2).
  const size = 10;
  const ising = ferromagneticRing(size);
  for (const [depth, suited] of [
    [1, 3 / 4],
    [2, 5 / 6],
    [3, 7 / 8],
  ]) {
    const { expectation, approximationRatio } = qaoa(
      ising,
      { depth, shots: 1, evaluationsMax: 400 },
      createUniforms(1),
    );
    expect(expectation).toBeCloseTo(size * (1 - 2 * suited), 2);
    expect(approximationRatio).toBeCloseTo(suited, 3);
  }
});

test('QAOA of depth 3 on random problems: the ratio, the best bits, the same result for the same seed', () => {
  for (const [size, seed] of [
    [6, 1],
    [8, 2],
    [10, 3],
    [12, 4],
    [16, 5],
  ]) {
    const ising = randomIsing(size, seed);
    const solve = (shots: number) =>
      qaoa(ising, { depth: 3, shots, evaluationsMax: size < 16 ? 150 : 60 }, createUniforms(seed));
    const found = solve(500);
    // Guessing gives 1/2 on average.
    expect(found.approximationRatio).toBeGreaterThan(0.8);
    expect(found.energy).toBeCloseTo(exactMinimum(ising).energy, 10);
    expect(found.foundOptimum).toBe(true);
    expect(isingEnergy(ising, found.bits)).toBeCloseTo(found.energy, 10);
    if (size < 16) expect(solve(500)).toEqual(found);

    const state = zeroState(size);
    const energies = isingEnergies(ising);
    prepareQaoaState(state, energies, found.angles);
    expect(squaredNorm(state)).toBeCloseTo(1, 10);
    expect(diagonalExpectation(state, energies)).toBeCloseTo(found.expectation, 10);
    // By brute force: where the mean energy lies between the extremes of all states.
    const sorted = energies.toSorted();
    const [least, greatest] = [sorted[0], sorted[sorted.length - 1]];
    expect(found.approximationRatio).toBeCloseTo((greatest - found.expectation) / (greatest - least), 12);
    const guess = qaoa(ising, { depth: 1, shots: 1, evaluationsMax: 1 }, createUniforms(seed + 1));
    expect(guess.foundOptimum).toBe(guess.energy === least);
  }
});

test('annealing finds the ground state of ferromagnetic rings', () => {
  for (const size of [8, 30, 60]) {
    const ising = ferromagneticRing(size);
    const { energy, bits } = quantumAnnealing(ising, { slices: 20, sweeps: 1000 }, createUniforms(size));
    expect(energy).toBe(-size);
    expect(new Set(bits).size).toBe(1);
  }
});

test('annealing finds planted ground states of 60, 150 and 300 qubits, and the same for the same seed', () => {
  for (const size of [60, 150, 300]) {
    const { ising, energy } = plantedIsing(size, size, size);
    const solve = (seed: number) =>
      quantumAnnealing(ising, { slices: 20, sweeps: 300 }, createUniforms(seed));
    const found = solve(1);
    expect(found.energy).toBe(energy);
    expect(isingEnergy(ising, found.bits)).toBe(energy);
    expect(solve(1)).toEqual(found);
  }
});

test('annealing finds what is exact on small problems, and beats 100 descents from random starts on large ones', () => {
  for (let seed = 0; seed < 4; seed++) {
    const small = randomIsing(16, seed);
    const solved = quantumAnnealing(small, { slices: 16, sweeps: 200 }, createUniforms(seed));
    expect(solved.energy).toBeCloseTo(exactMinimum(small).energy, 10);

    const large = randomIsing(200, seed, 0.2);
    const annealed = quantumAnnealing(large, { slices: 16, sweeps: 300 }, createUniforms(seed));
    expect(annealed.energy).toBeLessThan(bestDescent(large, 100, seed));
  }
});

test('annealing ends where no single flip helps', () => {
  const ising = randomIsing(40, 9);
  const { bits } = quantumAnnealing(ising, { slices: 4, sweeps: 2 }, createUniforms(9));
  const energy = isingEnergy(ising, bits);
  for (let u = 0; u < 40; u++) {
    const flipped = bits.slice();
    flipped[u] ^= 1;
    expect(isingEnergy(ising, flipped)).toBeGreaterThan(energy);
  }
});

function bestDescent(ising: Ising, starts: number, seed: number): number {
  const random = createUniforms(seed, 1);
  let best = Number.POSITIVE_INFINITY;
  for (let start = 0; start < starts; start++) {
    const bits = Uint8Array.from({ length: ising.size }, () => (random() < 0.5 ? 1 : 0));
    descend(ising, bits);
    best = Math.min(best, isingEnergy(ising, bits));
  }
  return best;
}
