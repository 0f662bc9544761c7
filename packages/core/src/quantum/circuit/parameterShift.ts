import type { PauliSum } from '../state/pauli.ts';
import { type Circuit, circuitOutputs } from './Circuit.ts';

/**
 * The parameter-shift rule. Each output is a sine of each single angle, so its derivative is exactly
 *
 *   d f / d angle = (f(angle + pi/2) - f(angle - pi/2)) / 2,
 *
 * with no small number to choose, and measurable on hardware, which has no backward pass. (Mitarai, Negoro, Kitagawa & Fujii, "Quantum circuit learning", 2018;
 * Schuld, Bergholm, Gogolin, Izaac & Killoran, "Evaluating analytic gradients on quantum hardware", 2019.)
 *
 * It takes two runs of the circuit for each angle, all independent: run `evaluation` in 0 ... 2 * angles - 1 is any process's to make.
 */
export function shiftedAngles(angles: Float64Array, evaluation: number): Float64Array {
  const shifted = angles.slice();
  shifted[evaluation >>> 1] += evaluation % 2 === 0 ? Math.PI / 2 : -Math.PI / 2;
  return shifted;
}

/** The outputs of the evaluations begin ... end - 1, one after the other: (end - begin) x outputs numbers. */
export function shiftedOutputs(
  circuit: Circuit,
  angles: Float64Array,
  observables: readonly PauliSum[],
  [begin, end]: readonly [number, number],
): Float64Array {
  const values = new Float64Array((end - begin) * observables.length);
  for (let evaluation = begin; evaluation < end; evaluation++) {
    const outputs = circuitOutputs(circuit, shiftedAngles(angles, evaluation), observables);
    values.set(outputs, (evaluation - begin) * observables.length);
  }
  return values;
}

/** From the outputs of all evaluations in order, the derivatives: outputs x angles numbers, row by row. */
export function jacobianOf(values: Float64Array, outputs: number): Float64Array {
  const angles = values.length / (2 * outputs);
  const jacobian = new Float64Array(outputs * angles);
  for (let angle = 0; angle < angles; angle++) {
    for (let output = 0; output < outputs; output++) {
      const plus = values[2 * angle * outputs + output];
      const minus = values[(2 * angle + 1) * outputs + output];
      jacobian[output * angles + angle] = (plus - minus) / 2;
    }
  }
  return jacobian;
}

/** All in one process: the derivatives of every output by every angle. */
export function parameterShift(
  circuit: Circuit,
  angles: Float64Array,
  observables: readonly PauliSum[],
): Float64Array {
  const values = shiftedOutputs(circuit, angles, observables, [0, 2 * circuit.angles]);
  return jacobianOf(values, observables.length);
}
