import { applyGate } from '../state/applyGate.ts';
import { copyState, innerProduct, type StateVector, zeroState } from '../state/StateVector.ts';
import { type Ansatz, anglesOf } from './Ansatz.ts';
import { applyOperation, type Circuit, generators } from './Circuit.ts';

/**
 * The Fubini-Study metric of the circuit's states over the angles begin ... end - 1,
 *
 *   g_ij = Re <d_i psi|d_j psi> - <d_i psi|psi><psi|d_j psi>,
 *
 * n x n row by row: how far apart two states are whose angles differ a little. A quarter of the quantum Fisher information. The simulator takes the derivative states
 * themselves; gates after the block change no inner product, and are left out.
 */
export function metricTensor(
  circuit: Circuit,
  angles: Float64Array,
  [begin, end]: readonly [number, number],
): Float64Array {
  const n = end - begin;
  const { state, derivatives } = derivativeStates(circuit, angles, [begin, end]);
  const overlaps = derivatives.map((derivative) => innerProduct(derivative, state));
  const metric = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const [real] = innerProduct(derivatives[i], derivatives[j]);
      // Re <d_i psi|psi> conj<d_j psi|psi>
      const parallel = overlaps[i][0] * overlaps[j][0] + overlaps[i][1] * overlaps[j][1];
      metric[i * n + j] = metric[j * n + i] = real - parallel;
    }
  }
  return metric;
}

/** The state after the last rotation of the block, and its derivative by each angle of the block, (-i/2) P put in behind the rotation. */
export function derivativeStates(
  circuit: Circuit,
  angles: Float64Array,
  [begin, end]: readonly [number, number],
): { state: StateVector; derivatives: StateVector[] } {
  const state = zeroState(circuit.qubits);
  const derivatives: StateVector[] = [];
  for (const operation of circuit.operations) {
    if (operation.kind === 'rotation' && operation.angle === end) break;
    for (const each of [state, ...derivatives]) applyOperation(each, operation, angles);
    if (operation.kind === 'rotation' && operation.angle >= begin) {
      const derivative = copyState(state);
      applyGate(derivative, generators[operation.axis], operation.qubit);
      // Times -i/2.
      for (let b = 0; b < derivative.re.length; b++) {
        const real = derivative.re[b];
        derivative.re[b] = derivative.im[b] / 2;
        derivative.im[b] = -real / 2;
      }
      derivatives.push(derivative);
    }
  }
  return { state, derivatives };
}

/**
 * The metric over the parameters of an ansatz for one input, parameters x parameters. `blocks` of angles are taken as independent of each other: `[[0, angles]]` is the full
 * metric, `ansatz.layers` the block-diagonal one, which takes less work. For many inputs, take the mean.
 */
export function parameterMetric(
  ansatz: Ansatz,
  parameters: Float64Array,
  inputs: Float64Array,
  blocks: readonly (readonly [number, number])[],
): Float64Array {
  const angles = anglesOf(ansatz, parameters, inputs);
  const metric = new Float64Array(ansatz.parameters ** 2);
  for (const block of blocks) {
    const [begin, end] = block;
    const byAngle = metricTensor(ansatz.circuit, angles, block);
    for (let i = begin; i < end; i++) {
      for (let j = begin; j < end; j++) {
        const g = byAngle[(i - begin) * (end - begin) + j - begin];
        for (const [p, dp] of dependence(ansatz, i, inputs)) {
          for (const [q, dq] of dependence(ansatz, j, inputs))
            metric[p * ansatz.parameters + q] += dp * g * dq;
        }
      }
    }
  }
  return metric;
}

/** The parameters on which an angle depends, each with the derivative. */
function dependence(ansatz: Ansatz, angle: number, inputs: Float64Array): [number, number][] {
  const { bias, data } = ansatz.angles[angle];
  return data === undefined
    ? [[bias, 1]]
    : [
        [bias, 1],
        [data.weight, inputs[data.input]],
      ];
}
