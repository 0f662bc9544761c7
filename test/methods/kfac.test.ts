import { numpy as np, random } from '@jax-js/jax';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { initialParameters } from '@tributary/worker/autodiff/initialParameters.ts';
import type { Prediction } from '@tributary/worker/autodiff/kroneckerFactors.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import type { Model } from '@tributary/worker/job/Model.ts';
import { solveKronecker } from '@tributary/worker/methods/kfac/solveKronecker.ts';
import { createStepMethod } from '@tributary/worker/methods/table.ts';
import { type Affine, dense, initialDense } from '@tributary/worker/nn/layers.ts';
import { crossEntropy } from '@tributary/worker/nn/losses.ts';
import { expect, test } from 'vitest';

const [examples, inputs, hidden, classes] = [6000, 3, 4, 3];

type Parameters = { one: Affine; two: Affine };

const outputs = ({ one, two }: Parameters, x: np.Array) => dense(two, np.tanh(dense(one, x)));
const model = {
  init: (key: np.Array) => {
    const [key1, key2] = random.split(key);
    return { one: initialDense(key1, inputs, hidden), two: initialDense(key2, hidden, classes) };
  },
  loss: (p: Parameters, { x, y }: Record<string, np.Array>) => crossEntropy(outputs(p, x), y),
  outputs: (p: Parameters, { x }: Record<string, np.Array>) => outputs(p, x),
} as unknown as Model;
const x = Float32Array.from({ length: examples * inputs }, (_, k) => Math.sin(k * 1.7) + 0.3 * Math.cos(k));
const y = Int32Array.from({ length: examples }, (_, k) => k % classes);
const batch = { x: { shape: [examples, inputs], data: x }, y: { shape: [examples], data: y } };

/** The factors of both layers as the paper defines them, in float64, with the expectation over targets taken exactly. */
function exactFactors(flat: Float32Array, prediction: Prediction): number[] {
  const at = (offset: number) => (row: number, column: number, width: number) =>
    flat[offset + row * width + column];
  const [w1, w2] = [at(0), at(inputs * hidden + hidden)];
  const b1 = flat.subarray(inputs * hidden);
  const b2 = flat.subarray(inputs * hidden + hidden + hidden * classes);
  const [a1, g1] = [new Float64Array((inputs + 1) ** 2), new Float64Array(hidden ** 2)];
  const [a2, g2] = [new Float64Array((hidden + 1) ** 2), new Float64Array(classes ** 2)];
  const addOuter = (matrix: Float64Array, v: readonly number[]) => {
    for (let i = 0; i < v.length; i++) {
      for (let j = 0; j < v.length; j++) matrix[i * v.length + j] += (v[i] * v[j]) / examples;
    }
  };
  for (let row = 0; row < examples; row++) {
    const input = [...x.subarray(row * inputs, (row + 1) * inputs)];
    const h = Array.from({ length: hidden }, (_, unit) =>
      Math.tanh(b1[unit] + input.reduce((sum, value, k) => sum + value * w1(k, unit, hidden), 0)),
    );
    const z = Array.from(
      { length: classes },
      (_, c) => b2[c] + h.reduce((sum, value, k) => sum + value * w2(k, c, classes), 0),
    );
    addOuter(a1, [...input, 1]);
    addOuter(a2, [...h, 1]);
    const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
    const p = z.map((value) => Math.exp(value) / total);
    const fisher = (c: number, d: number) =>
      prediction === 'numbers' ? (c === d ? 2 : 0) : (c === d ? p[c] : 0) - p[c] * p[d];
    const back = (unit: number, c: number) => w2(unit, c, classes) * (1 - h[unit] ** 2);
    for (let c = 0; c < classes; c++) {
      for (let d = 0; d < classes; d++) {
        g2[c * classes + d] += fisher(c, d) / examples;
        for (let i = 0; i < hidden; i++) {
          for (let j = 0; j < hidden; j++)
            g1[i * hidden + j] += (back(i, c) * fisher(c, d) * back(j, d)) / examples;
        }
      }
    }
  }
  return [...a1, ...g1, ...a2, ...g2];
}

test.each([
  ['native', 'classes'],
  ['reference', 'classes'],
  ['native', 'numbers'],
] as const)(
  '%s: the factors are those of the Fisher matrix of %s, as far as drawing targets goes',
  async (backend, prediction) => {
    const { flat, ...shape } = await initialParameters(model, 1);
    const program = new GradientProgram(await openBackend(backend), model, shape);
    const exact = exactFactors(flat, prediction);
    const found = new Float32Array(exact.length);
    await program.kroneckerFactors(prediction, flat, batch, Int32Array.of(1, 2), found);
    const inA = (index: number) =>
      index < (inputs + 1) ** 2 ||
      (index >= 16 + hidden ** 2 && index < 16 + hidden ** 2 + (hidden + 1) ** 2);
    found.forEach((value, index) => {
      // A has nothing random; of G, means over 6000 draws.
      expect(Math.abs(value - exact[index]), `factor ${index}`).toBeLessThan(inA(index) ? 1e-5 : 0.15);
    });
    const again = new Float32Array(exact.length);
    await program.kroneckerFactors(prediction, flat, batch, Int32Array.of(1, 2), again);
    expect(again).toEqual(found);
    await program.kroneckerFactors(prediction, flat, batch, Int32Array.of(1, 3), again);
    expect(again).not.toEqual(found);
  },
);

test('the natural gradient of a layer solves the dense Kronecker system', () => {
  const [rows, columns, damping] = [3, 2, 0.04];
  const a = [2, 0.3, 0.1, 0.3, 1, -0.2, 0.1, -0.2, 1.5];
  const g = [0.5, 0.1, 0.1, 0.8];
  const m = Float64Array.of(1, -2, 0.5, 3, -1, 0.25);
  const solved = solveKronecker({ a, g, rows, columns }, m, damping)!;
  const pi = Math.sqrt((2 + 1 + 1.5) / 3 / ((0.5 + 0.8) / 2));
  const left = a.map((value, k) => value + (k % 4 === 0 ? 0.2 * pi : 0));
  const right = g.map((value, k) => value + (k % 3 === 0 ? 0.2 / pi : 0));
  // left solved right = m, element by element.
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < rows; k++) {
        for (let l = 0; l < columns; l++)
          sum += left[i * rows + k] * solved[k * columns + l] * right[l * columns + j];
      }
      expect(sum).toBeCloseTo(m[i * columns + j], 10);
    }
  }
});

test('a model without dense layers, or with one too large, is refused by name', () => {
  const create = (tensors: { name: string; shape: number[] }[]) =>
    createStepMethod({ name: 'kfac', hyperparameters: {} }, createLayout(tensors));
  expect(() => create([{ name: 'weights', shape: [3, 2] }])).toThrow(
    'kfac finds no dense layer in the model',
  );
  const large = [
    { name: 'wide/w', shape: [5000, 2] },
    { name: 'wide/b', shape: [2] },
  ];
  expect(() => create(large)).toThrow('kfac would factorise matrices of 5001 rows for "wide"');
});
