import { grad, numpy as np, random } from '@jax-js/jax';
import {
  type Ansatz,
  anglesOf,
  hardwareEfficientAnsatz,
  pullBack,
} from '@tributary/core/quantum/circuit/Ansatz.ts';
import { circuitOutputs, runCircuit } from '@tributary/core/quantum/circuit/Circuit.ts';
import { parameterShift } from '@tributary/core/quantum/circuit/parameterShift.ts';
import { hadamard, pauliX, tGate } from '@tributary/core/quantum/state/gates.ts';
import { type PauliSum, pauliString } from '@tributary/core/quantum/state/pauli.ts';
import { createBuffer } from '@tributary/worker/compute/checkBuffers.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { initialQuantum, quantumLayer, quantumStates } from '@tributary/worker/nn/quantum.ts';
import { describe, expect, test } from 'vitest';
import { normal } from '../compute/oracle/inputs.ts';
import { caught } from '../core/caught.ts';

/** Every kind of operation: rotations about all axes, with and without data, fixed gates, controlled once and twice, real and complex. */
const mixed: Ansatz = {
  circuit: {
    qubits: 3,
    angles: 4,
    operations: [
      { kind: 'gate', gate: hadamard, qubit: 0, controls: [] },
      { kind: 'rotation', axis: 'X', qubit: 1, angle: 0 },
      { kind: 'gate', gate: pauliX, qubit: 2, controls: [1] },
      { kind: 'rotation', axis: 'Y', qubit: 2, angle: 1 },
      { kind: 'gate', gate: tGate, qubit: 0, controls: [2] },
      { kind: 'rotation', axis: 'Z', qubit: 0, angle: 2 },
      { kind: 'gate', gate: hadamard, qubit: 0, controls: [] },
      { kind: 'gate', gate: pauliX, qubit: 1, controls: [0, 2] },
      { kind: 'rotation', axis: 'X', qubit: 0, angle: 3 },
    ],
  },
  parameters: 5,
  inputs: 2,
  angles: [
    { bias: 0, data: { weight: 4, input: 1 } },
    { bias: 1 },
    { bias: 2, data: { weight: 4, input: 0 } },
    { bias: 3 },
  ],
  layers: [[0, 4]],
};
const observables: PauliSum[] = [
  [{ coefficient: 1, string: pauliString('Z0') }],
  [
    { coefficient: 0.5, string: pauliString('Z0 Z2') },
    { coefficient: -1.5, string: pauliString('Z1') },
    { coefficient: 0.25, string: pauliString('') },
  ],
];

describe.each(['native', 'reference'] as const)('%s', async (name) => {
  const backend = await openBackend(name);

  describe.each<[string, Ansatz]>([
    ['every kind of gate', mixed],
    ['the hardware-efficient ansatz', hardwareEfficientAnsatz({ qubits: 3, layers: 2, inputs: 2 })],
  ])('%s', (_, ansatz) => {
    const examples = 3;
    const [parameters, x, cotangents] = [normal(ansatz.parameters), normal(examples, 2), normal(examples, 2)];
    const inputs = [parameters, x, cotangents];
    const compute = async (fn: (...arrays: np.Array[]) => np.Array[]) => {
      const program = await backend.compile(fn, inputs);
      const outputs = program.outputs.map(createBuffer);
      await program.run(
        inputs.map(({ data }) => data),
        outputs,
      );
      return outputs.map((output) => Array.from(output));
    };
    const point = Float64Array.from(parameters.data);
    const inputsOf = (example: number) => Float64Array.from(x.data.subarray(2 * example, 2 * example + 2));
    const expectClose = (found: number[], expected: ArrayLike<number>, within: number) => {
      expect(found.length).toBe(expected.length);
      found.forEach((value, index) => {
        expect(Math.abs(value - expected[index]), `element ${index}`).toBeLessThan(within);
      });
    };

    test('its outputs and states are those of the simulator', async () => {
      const [outputs, states] = await compute((p, batch, c) => {
        c.dispose();
        return [quantumLayer(ansatz, p.ref, batch.ref, { observables }), quantumStates(ansatz, p, batch)];
      });
      for (let example = 0; example < examples; example++) {
        const angles = anglesOf(ansatz, point, inputsOf(example));
        const expected = circuitOutputs(ansatz.circuit, angles, observables);
        expectClose(outputs.slice(2 * example, 2 * example + 2), expected, 1e-6);
        const { re, im } = runCircuit(ansatz.circuit, angles);
        expectClose(states.slice(16 * example, 16 * example + 16), [...re, ...im], 1e-6);
      }
    });

    test('its gradient, by autodiff and by parameter shift, is that of the simulator to 1e-5', async () => {
      const expected = { parameters: new Float64Array(ansatz.parameters), inputs: [] as number[] };
      for (let example = 0; example < examples; example++) {
        const angles = anglesOf(ansatz, point, inputsOf(example));
        const jacobian = parameterShift(ansatz.circuit, angles, observables);
        const count = ansatz.circuit.angles;
        const byAngle = Float64Array.from(
          { length: count },
          (_, k) =>
            cotangents.data[2 * example] * jacobian[k] +
            cotangents.data[2 * example + 1] * jacobian[count + k],
        );
        const found = pullBack(ansatz, byAngle, point, inputsOf(example));
        found.parameters.forEach((value, index) => {
          expected.parameters[index] += value;
        });
        expected.inputs.push(...found.inputs);
      }
      for (const differentiation of ['autodiff', 'parameter-shift'] as const) {
        const [byParameter, byInput] = await compute((p, batch, c) => {
          const loss = (at: np.Array, of: np.Array) =>
            quantumLayer(ansatz, at, of, { observables, differentiation }).mul(c.ref).sum();
          const byParameters = grad((at: np.Array) => loss(at, batch.ref))(p.ref);
          return [byParameters, grad((of: np.Array) => loss(p.ref, of))(batch)];
        });
        expectClose(byParameter, expected.parameters, 1e-5);
        expectClose(byInput, expected.inputs, 1e-5);
      }
    });
  });
});

test('parameters begin with angles around 0 and weights around 1', () => {
  const ansatz = hardwareEfficientAnsatz({ qubits: 4, layers: 5, inputs: 3 });
  const drawn = initialQuantum(random.key(1), ansatz).dataSync() as Float32Array;
  const weights = ansatz.angles.flatMap(({ data }) => (data === undefined ? [] : [drawn[data.weight]]));
  const biases = ansatz.angles.map(({ bias }) => drawn[bias]);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(drawn.length).toBe(ansatz.parameters);
  expect(Math.abs(mean(weights) - 1)).toBeLessThan(0.2);
  expect(Math.abs(mean(biases))).toBeLessThan(0.2);
});

test('what no circuit has, and what is not of the ansatz, is refused', () => {
  const sizes = { qubits: 2, layers: 1, inputs: 2 };
  const ansatz = hardwareEfficientAnsatz(sizes);
  const layer = (inputs: number, options = {}) =>
    caught(() => quantumLayer(ansatz, np.zeros([ansatz.parameters]), np.zeros([4, inputs]), options)).line;
  expect(layer(3)).toContain('a quantum layer of 2 inputs is given an array of the shape [4, 3]');
  expect(layer(2, { differentiation: 'shift' })).toContain('differentiation is "shift"');
  const circuit = (change: object) => caught(() => hardwareEfficientAnsatz({ ...sizes, ...change })).line;
  expect(circuit({ qubits: 0 })).toContain('a circuit of 0 qubits. ');
  expect(circuit({ qubits: 25 })).toContain('from 1 to 24');
  expect(circuit({ layers: 1.5 })).toContain('a circuit of 1.5 layers');
});
