import { invariant } from '../../errors/invariant.ts';
import { applyGate } from '../state/applyGate.ts';
import { type Gate, pauliX, pauliY, pauliZ, rotationX, rotationY, rotationZ } from '../state/gates.ts';
import { expectation, type PauliSum } from '../state/pauli.ts';
import { type StateVector, zeroState } from '../state/StateVector.ts';

export type Axis = 'X' | 'Y' | 'Z';

/** A rotation about an axis by the angle with this number, or a fixed gate, controlled or not. */
export type Operation =
  | { readonly kind: 'rotation'; readonly axis: Axis; readonly qubit: number; readonly angle: number }
  | {
      readonly kind: 'gate';
      readonly gate: Gate;
      readonly qubit: number;
      readonly controls: readonly number[];
    };

/** A program of gates over a vector of angles. Angle k belongs to exactly one rotation, the k-th: shared parameters are the business of the ansatz. */
export interface Circuit {
  readonly qubits: number;
  readonly operations: readonly Operation[];
  readonly angles: number;
}

/** The state that the circuit makes of |0...0>. */
export function runCircuit(circuit: Circuit, angles: Float64Array): StateVector {
  invariant(angles.length === circuit.angles, `${angles.length} angles for a circuit of ${circuit.angles}`);
  const state = zeroState(circuit.qubits);
  for (const operation of circuit.operations) applyOperation(state, operation, angles);
  return state;
}

/** The expectation of every observable in the circuit's final state: the outputs of a quantum layer. */
export function circuitOutputs(
  circuit: Circuit,
  angles: Float64Array,
  observables: readonly PauliSum[],
): Float64Array {
  const state = runCircuit(circuit, angles);
  return Float64Array.from(observables, (observable) => expectation(state, observable));
}

export function applyOperation(state: StateVector, operation: Operation, angles: Float64Array): void {
  if (operation.kind === 'gate') applyGate(state, operation.gate, operation.qubit, operation.controls);
  else applyGate(state, rotations[operation.axis](angles[operation.angle]), operation.qubit);
}

/** The Pauli matrix P of a rotation exp(-i angle P / 2), which generates it. */
export const generators: Readonly<Record<Axis, Gate>> = { X: pauliX, Y: pauliY, Z: pauliZ };

const rotations = { X: rotationX, Y: rotationY, Z: rotationZ };
