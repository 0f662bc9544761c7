import { TributaryError } from '../../errors/TributaryError.ts';
import { limits } from '../../limits/limits.ts';
import { pauliZ } from '../state/gates.ts';
import type { Circuit, Operation } from './Circuit.ts';

/**
 * A circuit as a function of trainable parameters and of inputs: angle_k = parameters[bias] + parameters[weight] * inputs[input], the latter for the angles
 * that take in data.
 */
export interface Ansatz {
  readonly circuit: Circuit;
  readonly parameters: number;
  readonly inputs: number;
  readonly angles: readonly AngleSource[];
  /** Half-open ranges of angles, of layers whose rotations stand on distinct qubits or follow each other on one: the blocks of the metric. */
  readonly layers: readonly (readonly [number, number])[];
}

export interface AngleSource {
  readonly bias: number;
  readonly data?: { readonly weight: number; readonly input: number };
}

/**
 * A hardware-efficient ansatz: in each layer a Y and a Z rotation of every qubit, then controlled-Z gates around the ring; last, a Y rotation of every qubit. (Kandala et al.,
 * "Hardware-efficient variational quantum eigensolver for small molecules and quantum magnets", 2017.)
 *
 * With inputs, every layer takes in data again, by its Y rotations, feature after feature: without that a circuit is a sine of each feature, with it a Fourier series with as
 * many terms as layers (Perez-Salinas, Cervera-Lierta, Gil-Fuster & Latorre, "Data re-uploading for a universal quantum classifier", 2020).
 *
 * Throws INVALID_ARGUMENT for sizes that no circuit has.
 */
export function hardwareEfficientAnsatz({
  qubits,
  layers,
  inputs = 0,
}: {
  qubits: number;
  layers: number;
  inputs?: number;
}): Ansatz {
  requireWhole('qubits', qubits, 1, limits.qubitsMax);
  requireWhole('layers', layers, 0);
  requireWhole('inputs', inputs, 0);
  const operations: Operation[] = [];
  const angles: AngleSource[] = [];
  const blocks: [number, number][] = [];
  let parameters = 0;
  let features = 0;

  const rotate = (axis: 'Y' | 'Z', qubit: number, takesData: boolean) => {
    operations.push({ kind: 'rotation', axis, qubit, angle: angles.length });
    const bias = parameters++;
    angles.push(takesData ? { bias, data: { weight: parameters++, input: features++ % inputs } } : { bias });
  };
  for (let layer = 0; layer <= layers; layer++) {
    const first = angles.length;
    for (let qubit = 0; qubit < qubits; qubit++) {
      rotate('Y', qubit, layer < layers && inputs > 0);
      if (layer < layers) rotate('Z', qubit, false);
    }
    blocks.push([first, angles.length]);
    if (layer < layers) operations.push(...ring(qubits));
  }
  return {
    circuit: { qubits, operations, angles: angles.length },
    parameters,
    inputs,
    angles,
    layers: blocks,
  };
}

function requireWhole(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range = most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `${least} or more`;
  throw new TributaryError('INVALID_ARGUMENT', `a circuit of ${value} ${name}`, {
    hint: `${name} must be a whole number, ${range}.`,
  });
}

/** The circuit's angles for these parameters and inputs. */
export function anglesOf(ansatz: Ansatz, parameters: Float64Array, inputs: Float64Array): Float64Array {
  return Float64Array.from(ansatz.angles, ({ bias, data }) =>
    data === undefined ? parameters[bias] : parameters[bias] + parameters[data.weight] * inputs[data.input],
  );
}

/** The chain rule: a gradient by angles becomes one by parameters and one by inputs. */
export function pullBack(
  ansatz: Ansatz,
  angleGradient: Float64Array,
  parameters: Float64Array,
  inputs: Float64Array,
): { parameters: Float64Array; inputs: Float64Array } {
  const byParameter = new Float64Array(ansatz.parameters);
  const byInput = new Float64Array(ansatz.inputs);
  ansatz.angles.forEach(({ bias, data }, k) => {
    byParameter[bias] += angleGradient[k];
    if (data === undefined) return;
    byParameter[data.weight] += angleGradient[k] * inputs[data.input];
    byInput[data.input] += angleGradient[k] * parameters[data.weight];
  });
  return { parameters: byParameter, inputs: byInput };
}

/** Controlled-Z between each qubit and the next, and from the last to the first if there are more than two. */
function ring(qubits: number): Operation[] {
  const edges = qubits > 2 ? qubits : qubits - 1;
  return Array.from({ length: edges }, (_, qubit) => ({
    kind: 'gate',
    gate: pauliZ,
    qubit,
    controls: [(qubit + 1) % qubits],
  }));
}
