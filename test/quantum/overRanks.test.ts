import { type numpy as np, random } from '@jax-js/jax';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import { segmentsOf } from '@tributary/core/layout/segments.ts';
import { hardwareEfficientAnsatz } from '@tributary/core/quantum/circuit/Ansatz.ts';
import { parameterMetric } from '@tributary/core/quantum/circuit/metricTensor.ts';
import { initialParameters, layoutOf } from '@tributary/worker/autodiff/initialParameters.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { inMemory } from '@tributary/worker/data/inMemory.ts';
import type { Model } from '@tributary/worker/job/Model.ts';
import { type Affine, dense, initialDense } from '@tributary/worker/nn/layers.ts';
import { crossEntropy } from '@tributary/worker/nn/losses.ts';
import {
  initialQuantum,
  type QuantumOptions,
  quantumLayer,
  quantumStates,
} from '@tributary/worker/nn/quantum.ts';
import { RankBatches } from '@tributary/worker/training/RankBatches.ts';
import { RankSums } from '@tributary/worker/training/RankSums.ts';
import { expect, test } from 'vitest';
import { normal } from '../compute/oracle/inputs.ts';
import { exampleSpec } from '../support/exampleJob.ts';

/* A hybrid model: a circuit of three qubits and a linear head, on 22 examples that four ranks share. */

type Parameters = { circuit: np.Array; head: Affine };
const ansatz = hardwareEfficientAnsatz({ qubits: 3, layers: 2, inputs: 2 });
const examples = 22;
const inputs = normal(examples, 2);
const labels = Int32Array.from(
  inputs.data.filter((_, index) => index % 2 === 0),
  (value) => (value > 0 ? 1 : 0),
);
const ranks = 4;

const hybrid = (differentiation: NonNullable<QuantumOptions['differentiation']>): Model<Parameters> => ({
  init(key) {
    const [key1, key2] = random.split(key);
    return { circuit: initialQuantum(key1, ansatz), head: initialDense(key2, 3, 2) };
  },
  loss: ({ circuit, head }, { x, y }) =>
    crossEntropy(dense(head, quantumLayer(ansatz, circuit, x, { differentiation })), y),
  states: ({ circuit }, { x }) => quantumStates(ansatz, circuit, x),
});

async function open(model: Model) {
  const shape = layoutOf(model);
  const { flat } = await initialParameters(model, 1);
  const program = new GradientProgram(await openBackend('native'), model, shape);
  const data = await inMemory({ x: { data: inputs.data, shape: [examples, 2] }, y: labels }).open();
  const spec = exampleSpec({ layout: shape.layout, sampling: 'full', seed: 1, ranks, trainSize: examples });
  const segments = segmentsOf(spec, { begin: 0, end: flat.length });
  const sums = new RankSums(program, new RankBatches(data, spec), segments, createKernels(), false);
  return { flat, shape, program, data, sums };
}

test('the parameter shifts of four ranks add up to the gradient that autodiff finds for all examples, to 1e-5', async () => {
  const { flat, sums } = await open(hybrid('parameter-shift') as unknown as Model);
  const whole = await open(hybrid('autodiff') as unknown as Model);
  const total = new Float64Array(flat.length);
  let weight = 0;
  for (let rank = 0; rank < ranks; rank++) {
    const part = new Float32Array(flat.length);
    const found = await sums.sum({ kind: 'gradient', at: flat }, { begin: rank, end: rank + 1 }, 0, part);
    part.forEach((value, index) => {
      total[index] += value;
    });
    weight += found.weight;
  }
  expect(weight).toBe(examples);
  const batch = await whole.data.read(Uint32Array.from({ length: examples }, (_, index) => index));
  const gradient = new Float32Array(flat.length);
  await whole.program.run(flat, batch, gradient);
  expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.01);
  gradient.forEach((value, index) => {
    expect(Math.abs(total[index] / weight - value), `element ${index}`).toBeLessThan(1e-5);
  });
});

test("the ranks' metrics add up to the simulator's, and are 0 outside of the circuit", async () => {
  const { flat, shape, sums } = await open(hybrid('autodiff') as unknown as Model);
  const { length } = flat;
  const triangle = new Float32Array((length * (length + 1)) / 2);
  const metric = { kind: 'metric', at: flat, places: [{ begin: 0, end: length }] } as const;
  const { weight } = await sums.sum(metric, { begin: 0, end: ranks }, 0, triangle);
  const { offset } = shape.layout.tensors.find(({ name }) => name === 'circuit')!;
  const count = ansatz.parameters;
  const parameters = Float64Array.from(flat.subarray(offset, offset + count));
  const expected = new Float64Array(count * count);
  for (let example = 0; example < examples; example++) {
    const x = Float64Array.from(inputs.data.subarray(2 * example, 2 * example + 2));
    parameterMetric(ansatz, parameters, x, [[0, ansatz.circuit.angles]]).forEach((value, index) => {
      expected[index] += value / examples;
    });
  }
  for (let i = 0, at = 0; i < length; i++) {
    for (let j = 0; j <= i; j++, at++) {
      const [p, q] = [i - offset, j - offset];
      const ofCircuit = p >= 0 && p < count && q >= 0 && q < count;
      const value = triangle[at] / weight;
      if (ofCircuit) expect(Math.abs(value - expected[p * count + q]), `(${p}, ${q})`).toBeLessThan(1e-5);
      else expect(value).toBe(0);
    }
  }
});
