import { anglesOf, hardwareEfficientAnsatz, pullBack } from '@tributary/core/quantum/circuit/Ansatz.ts';
import { circuitOutputs, runCircuit } from '@tributary/core/quantum/circuit/Circuit.ts';
import {
  derivativeStates,
  metricTensor,
  parameterMetric,
} from '@tributary/core/quantum/circuit/metricTensor.ts';
import { naturalGradient } from '@tributary/core/quantum/circuit/naturalGradient.ts';
import {
  jacobianOf,
  parameterShift,
  shiftedOutputs,
} from '@tributary/core/quantum/circuit/parameterShift.ts';
import { pauliString } from '@tributary/core/quantum/state/pauli.ts';
import { innerProduct } from '@tributary/core/quantum/state/StateVector.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';
import * as dense from './dense.ts';

const ansatz = hardwareEfficientAnsatz({ qubits: 3, layers: 2, inputs: 2 });
const { circuit } = ansatz;
const observables = [
  [{ coefficient: 1, string: pauliString('Z0') }],
  [
    { coefficient: 0.5, string: pauliString('X1 Y2') },
    { coefficient: -2, string: pauliString('Z0 Z2') },
  ],
];

function randomParameters(seed: number): Float64Array {
  const random = createUniforms(seed);
  return Float64Array.from({ length: ansatz.parameters }, () => 2 * random() - 1);
}
const inputs = Float64Array.of(0.8, -0.3);

test('the ansatz has the rotations and parameters it should', () => {
  // Two layers of Y (bias and weight) and Z on three qubits, then Y: 15 angles, 6 of them with data.
  expect([circuit.angles, ansatz.parameters]).toEqual([15, 21]);
  expect(ansatz.layers).toEqual([
    [0, 6],
    [6, 12],
    [12, 15],
  ]);
  const plain = hardwareEfficientAnsatz({ qubits: 1, layers: 1 });
  expect(circuitOutputs(plain.circuit, Float64Array.of(0.4, 1, 0), [observables[0]])[0]).toBeCloseTo(
    Math.cos(0.4),
    14,
  );
});

test('the parameter-shift rule is the derivative: against states differentiated by dense matrices, and finite differences', () => {
  for (const seed of [1, 2, 3]) {
    const angles = anglesOf(ansatz, randomParameters(seed), inputs);
    const jacobian = parameterShift(circuit, angles, observables);
    const step = 1e-5;
    for (let angle = 0; angle < circuit.angles; angle++) {
      const moved = (by: number) => angles.map((value, k) => (k === angle ? value + by : value));
      const plus = circuitOutputs(circuit, moved(step), observables);
      const minus = circuitOutputs(circuit, moved(-step), observables);
      for (const output of [0, 1]) {
        const derivative = jacobian[output * circuit.angles + angle];
        expect(derivative).toBeCloseTo((plus[output] - minus[output]) / (2 * step), 8);
        expect(derivative).toBeCloseTo(analyticDerivative(angles, angle, output), 10);
      }
    }
  }
});

/** 2 Re <psi|O|d psi>, the operator as a dense matrix. */
function analyticDerivative(angles: Float64Array, angle: number, output: number): number {
  const { state, derivatives } = derivativeStates(circuit, angles, [0, circuit.angles]);
  const image = dense.apply(
    denseObservables[output],
    Array.from(derivatives[angle].re, (re, b) => [re, derivatives[angle].im[b]] as const),
  );
  return 2 * image.reduce((sum, [re, im], b) => sum + state.re[b] * re + state.im[b] * im, 0);
}

const pauliX = dense.matrixOf([0, 0, 1, 0, 1, 0, 0, 0]);
const pauliY = dense.matrixOf([0, 0, 0, -1, 0, 1, 0, 0]);
const pauliZ = dense.matrixOf([1, 0, 0, 0, 0, 0, -1, 0]);
const denseObservables = [
  dense.onQubits(3, new Map([[0, pauliZ]])),
  dense.add(
    scaled(
      dense.onQubits(
        3,
        new Map([
          [1, pauliX],
          [2, pauliY],
        ]),
      ),
      0.5,
    ),
    dense.onQubits(
      3,
      new Map([
        [0, pauliZ],
        [2, pauliZ],
      ]),
    ),
    -2,
  ),
];

function scaled(matrix: dense.Matrix, factor: number): dense.Matrix {
  return dense.add(matrix, matrix, factor - 1);
}

test('evaluations shared out over ranks give the same bits as in one process', () => {
  const angles = anglesOf(ansatz, randomParameters(4), inputs);
  const shares = [
    [0, 7],
    [7, 8],
    [8, 30],
  ] as const;
  const gathered = shares.flatMap((share) => [...shiftedOutputs(circuit, angles, observables, share)]);
  const jacobian = jacobianOf(Float64Array.from(gathered), observables.length);
  expect(jacobian).toEqual(parameterShift(circuit, angles, observables));
});

test('the gradient by parameters and by inputs follows by the chain rule', () => {
  const parameters = randomParameters(5);
  const value = (theta: Float64Array, x: Float64Array) =>
    circuitOutputs(circuit, anglesOf(ansatz, theta, x), observables)[1];
  const byAngle = parameterShift(circuit, anglesOf(ansatz, parameters, inputs), [observables[1]]);
  const gradient = pullBack(ansatz, byAngle, parameters, inputs);
  const step = 1e-5;
  parameters.forEach((_, p) => {
    const moved = (by: number) =>
      value(
        parameters.map((x, i) => (i === p ? x + by : x)),
        inputs,
      );
    expect(gradient.parameters[p]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 8);
  });
  inputs.forEach((_, f) => {
    const moved = (by: number) =>
      value(
        parameters,
        inputs.map((x, i) => (i === f ? x + by : x)),
      );
    expect(gradient.inputs[f]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 8);
  });
});

test('the metric tells how far apart neighbouring states are', () => {
  const angles = anglesOf(ansatz, randomParameters(6), inputs);
  const n = circuit.angles;
  const metric = metricTensor(circuit, angles, [0, n]);
  const random = createUniforms(6, 1);
  for (let trial = 0; trial < 5; trial++) {
    const direction = Float64Array.from({ length: n }, () => 1e-3 * (2 * random() - 1));
    // Central in `angles`, so that the error is of fourth order.
    const a = runCircuit(
      circuit,
      angles.map((x, i) => x - direction[i] / 2),
    );
    const b = runCircuit(
      circuit,
      angles.map((x, i) => x + direction[i] / 2),
    );
    const [re, im] = innerProduct(a, b);
    let length = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) length += direction[i] * metric[i * n + j] * direction[j];
    }
    expect((1 - re * re - im * im) / length).toBeCloseTo(1, 5);
  }
});

test('the blocks of the metric are those of the full one', () => {
  const angles = anglesOf(ansatz, randomParameters(7), inputs);
  const n = circuit.angles;
  const full = metricTensor(circuit, angles, [0, n]);
  for (const [begin, end] of ansatz.layers) {
    const block = metricTensor(circuit, angles, [begin, end]);
    for (let i = begin; i < end; i++) {
      for (let j = begin; j < end; j++) {
        expect(block[(i - begin) * (end - begin) + j - begin]).toBeCloseTo(full[i * n + j], 12);
      }
    }
  }
});

test('a rotation has the metric (1 - <P>^2) / 4, such as 0 for a Z rotation of |0>', () => {
  const plain = hardwareEfficientAnsatz({ qubits: 1, layers: 1 });
  const metric = parameterMetric(plain, Float64Array.of(0.9, 0.2, 0.1), new Float64Array(0), plain.layers);
  // After RY(0.9) the Z rotation moves the state by sin^2(0.9) / 4.
  expect(metric[0]).toBeCloseTo(1 / 4, 14);
  expect(metric[4]).toBeCloseTo(Math.sin(0.9) ** 2 / 4, 14);
  // The state's spin along Y is sin(0.9) sin(0.2).
  expect(metric[8]).toBeCloseTo((1 - (Math.sin(0.9) * Math.sin(0.2)) ** 2) / 4, 14);
  const still = parameterMetric(plain, Float64Array.of(0, 0.2, 0.1), new Float64Array(0), plain.layers);
  expect(still[4]).toBeCloseTo(0, 14);
});

test('the natural gradient solves (metric + damping) direction = gradient', () => {
  const parameters = randomParameters(8);
  const metric = parameterMetric(ansatz, parameters, inputs, [[0, circuit.angles]]);
  const n = ansatz.parameters;
  const gradient = randomParameters(9);
  const direction = naturalGradient(metric, gradient, 0.01);
  for (let p = 0; p < n; p++) {
    let sum = 0.01 * direction[p];
    for (let q = 0; q < n; q++) sum += metric[p * n + q] * direction[q];
    expect(sum).toBeCloseTo(gradient[p], 10);
  }
});
