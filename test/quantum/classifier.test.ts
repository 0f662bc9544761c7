import {
  type Ansatz,
  anglesOf,
  hardwareEfficientAnsatz,
  pullBack,
} from '@tributary/core/quantum/circuit/Ansatz.ts';
import { circuitOutputs } from '@tributary/core/quantum/circuit/Circuit.ts';
import { parameterMetric } from '@tributary/core/quantum/circuit/metricTensor.ts';
import { naturalGradient } from '@tributary/core/quantum/circuit/naturalGradient.ts';
import { parameterShift } from '@tributary/core/quantum/circuit/parameterShift.ts';
import { pauliString } from '@tributary/core/quantum/state/pauli.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';
import { expect, test } from 'vitest';

interface Example {
  readonly point: Float64Array;
  /** 1 inside a circle that has half of the square's area, -1 outside: no straight line tells them apart. */
  readonly label: 1 | -1;
}

function examples(count: number, seed: number): Example[] {
  const random = createUniforms(seed);
  return Array.from({ length: count }, () => {
    const point = Float64Array.of(2 * random() - 1, 2 * random() - 1);
    return { point, label: point[0] ** 2 + point[1] ** 2 < 2 / Math.PI ? 1 : -1 };
  });
}

/** The quantum layer's parameters, and a classical head on its one output: logit = slope * output + offset. */
interface Model {
  readonly theta: Float64Array;
  slope: number;
  offset: number;
}

const ansatz = hardwareEfficientAnsatz({ qubits: 2, layers: 3, inputs: 2 });
const spin = [[{ coefficient: 1, string: pauliString('Z0') }]];

function quantumLayer(model: Model, point: Float64Array): number {
  return circuitOutputs(ansatz.circuit, anglesOf(ansatz, model.theta, point), spin)[0];
}

function logit(model: Model, point: Float64Array): number {
  return model.slope * quantumLayer(model, point) + model.offset;
}

function accuracy(model: Model, data: Example[]): number {
  return data.filter(({ point, label }) => label * logit(model, point) > 0).length / data.length;
}

/** Steps of natural gradient descent on the mean logistic loss over all examples. */
function train(data: Example[], steps: number, blocks: Ansatz['layers']) {
  const random = createUniforms(3);
  const model: Model = {
    theta: Float64Array.from({ length: ansatz.parameters }, () => 2 * random() - 1),
    slope: 2,
    offset: 0,
  };
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const gradient = new Float64Array(ansatz.parameters);
    const metric = new Float64Array(ansatz.parameters ** 2);
    let loss = 0;
    let slopeGradient = 0;
    let offsetGradient = 0;
    for (const { point, label } of data) {
      const angles = anglesOf(ansatz, model.theta, point);
      const output = quantumLayer(model, point);
      const margin = label * (model.slope * output + model.offset);
      const byLogit = -label / (1 + Math.exp(margin)) / data.length;
      loss += Math.log1p(Math.exp(-margin)) / data.length;
      slopeGradient += byLogit * output;
      offsetGradient += byLogit;
      const byAngle = parameterShift(ansatz.circuit, angles, spin);
      pullBack(ansatz, byAngle, model.theta, point).parameters.forEach((derivative, p) => {
        gradient[p] += byLogit * model.slope * derivative;
      });
      parameterMetric(ansatz, model.theta, point, blocks).forEach((entry, at) => {
        metric[at] += entry / data.length;
      });
    }
    losses.push(loss);
    naturalGradient(metric, gradient, 0.05).forEach((direction, p) => {
      model.theta[p] -= 0.3 * direction;
    });
    model.slope -= slopeGradient;
    model.offset -= offsetGradient;
  }
  return { model, losses };
}

test('a hybrid classifier learns to tell inside from outside of a circle', () => {
  const data = examples(80, 11);
  const { model, losses } = train(data, 40, [[0, ansatz.circuit.angles]]);
  expect(losses[0]).toBeGreaterThan(0.65);
  expect(losses.at(-1)).toBeLessThan(0.32);
  expect(accuracy(model, data)).toBeGreaterThanOrEqual(0.9);
  expect(accuracy(model, examples(300, 12))).toBeGreaterThanOrEqual(0.9);
});

test('training is the same each time, and falls with the block-diagonal metric too', () => {
  const data = examples(20, 13);
  const { losses, model } = train(data, 10, ansatz.layers);
  expect(train(data, 10, ansatz.layers).model).toEqual(model);
  expect(losses.at(-1)).toBeLessThan(losses[0]);
});
