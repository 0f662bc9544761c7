import type { RandomSource } from '../../random/uniforms.ts';
import { bitsOf, type Ising, isingEnergies } from '../ising/Ising.ts';
import { applyDiagonalPhase, applyGate } from '../state/applyGate.ts';
import { rotationX } from '../state/gates.ts';
import { diagonalExpectation } from '../state/pauli.ts';
import { type StateVector, uniformState } from '../state/StateVector.ts';
import { sample } from '../state/sample.ts';
import type { Solution } from './exactMinimum.ts';
import { nelderMead } from './nelderMead.ts';

export interface QaoaOptions {
  /** Layers: each has one angle for the cost and one for the mixer. */
  readonly depth: number;
  /** Measurements of the final state; the best of them is the solution. */
  readonly shots: number;
  /** Circuits run while the angles of one depth are optimised. */
  readonly evaluationsMax: number;
}

export interface QaoaSolution extends Solution {
  /** The mean energy of the final state. */
  readonly expectation: number;
  /**
   * (greatest energy - expectation) / (greatest - least): 1 is a state of only optimal bits, 1/2 about what guessing gives. The simulator
   * knows it, a device would not.
   */
  readonly approximationRatio: number;
  /** The best measurement is the optimum, as all states tell. */
  readonly foundOptimum: boolean;
  /** The cost angles of all layers, then the mixer angles: what prepareQaoaState takes. */
  readonly angles: Float64Array;
  /** Circuits run in all. */
  readonly evaluations: number;
}

/**
 * The quantum approximate optimization algorithm: from all states at once, let the phases turn by the cost and mix, `depth` times, by angles
 * that a classical optimizer chooses so that the mean energy is least; then measure. Farhi, Goldstone & Gutmann, "A Quantum Approximate
 * Optimization Algorithm", 2014.
 *
 * The angles of depth p + 1 start from those of depth p by interpolation (INTERP of Zhou, Wang, Choi, Pichler & Lukin, "Quantum Approximate
 * Optimization Algorithm: Performance, Mechanism, and Implementation on Near-Term Devices", 2020): random starts end in poor local minima, these do not.
 */
export function qaoa(
  ising: Ising,
  { depth, shots, evaluationsMax }: QaoaOptions,
  random: RandomSource,
): QaoaSolution {
  const energies = isingEnergies(ising);
  const scale = energyDeviation(ising);
  const state = uniformState(ising.size);
  const value = (angles: Float64Array) => {
    prepareQaoaState(state, energies, perEnergy(angles, scale));
    return diagonalExpectation(state, energies);
  };
  let angles: Float64Array = Float64Array.of(0.5, 0.4);
  let evaluations = 0;
  for (let layers = 1; layers <= depth; layers++) {
    if (layers > 1) angles = interpolateAngles(angles);
    const minimum = nelderMead(value, angles, { spread: 0.1, tolerance: 1e-4 * scale, evaluationsMax });
    angles = minimum.point;
    evaluations += minimum.evaluations;
  }
  const expectation = value(angles);
  const measured = sample(state, shots, random);
  const best = measured.reduce((a, b) => (energies[b] < energies[a] ? b : a));
  const { least, greatest } = extremesOf(energies);
  return {
    bits: bitsOf(best, ising.size),
    energy: energies[best],
    expectation,
    approximationRatio: greatest === least ? 1 : (greatest - expectation) / (greatest - least),
    foundOptimum: energies[best] === least,
    angles: perEnergy(angles, scale),
    evaluations: evaluations + 1,
  };
}

/**
 * Sets the state to exp(i mixer_p B) exp(-i cost_p C) ... exp(i mixer_1 B) exp(-i cost_1 C) |+...+>, with B the sum of all X and C diagonal
 * with these energies; `angles` holds the cost angles, then the mixer angles. The mixer's sign makes small positive angles a coarse quantum annealing.
 */
export function prepareQaoaState(state: StateVector, energies: Float64Array, angles: Float64Array): void {
  const depth = angles.length / 2;
  state.re.fill(2 ** (-state.qubits / 2));
  state.im.fill(0);
  for (let layer = 0; layer < depth; layer++) {
    applyDiagonalPhase(state, energies, angles[layer]);
    const mixer = rotationX(-2 * angles[depth + layer]);
    for (let qubit = 0; qubit < state.qubits; qubit++) applyGate(state, mixer, qubit);
  }
}

/** By looking at all states. */
function extremesOf(energies: Float64Array): { least: number; greatest: number } {
  let least = energies[0];
  let greatest = energies[0];
  for (const energy of energies) {
    least = Math.min(least, energy);
    greatest = Math.max(greatest, energy);
  }
  return { least, greatest };
}

/** The standard deviation of the energy over all basis states: cost angles are optimised in units of its inverse, so that one start fits all problems. */
function energyDeviation({ size, field, coupling }: Ising): number {
  let variance = 0;
  for (let u = 0; u < size; u++) {
    variance += field[u] ** 2;
    for (let v = 0; v < u; v++) variance += coupling[u * size + v] ** 2;
  }
  return variance === 0 ? 1 : Math.sqrt(variance);
}

/** The cost angles, from units of 1/scale. */
function perEnergy(angles: Float64Array, scale: number): Float64Array {
  return angles.map((angle, i) => (i < angles.length / 2 ? angle / scale : angle));
}

/** From the angles of p layers to p + 1: both sequences resampled. */
function interpolateAngles(angles: Float64Array): Float64Array {
  const p = angles.length / 2;
  return Float64Array.from({ length: 2 * p + 2 }, (_, i) => {
    const layer = i % (p + 1);
    const sequence = i <= p ? 0 : p;
    const before = layer === 0 ? 0 : angles[sequence + layer - 1];
    const after = layer === p ? 0 : angles[sequence + layer];
    return (layer / p) * before + (1 - layer / p) * after;
  });
}
