import { grad, numpy as np, random } from '@jax-js/jax';
import type { Buffer } from '@tributary/worker/compute/ComputeBackend.ts';
import { createBuffer } from '@tributary/worker/compute/checkBuffers.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import { gelu, logSigmoid, relu, sigmoid, silu, softplus } from '@tributary/worker/nn/activations.ts';
import { dropout } from '@tributary/worker/nn/layers.ts';
import { binaryCrossEntropyWithLogits, crossEntropy, distillation } from '@tributary/worker/nn/losses.ts';
import { layerNorm } from '@tributary/worker/nn/normalisation.ts';
import { describe, expect, test } from 'vitest';
import { checkCase, type Input } from '../compute/oracle/checkCase.ts';
import { vector } from '../compute/oracle/inputs.ts';
import { nnCases } from './nnCases.ts';

const activations: Record<string, (x: np.Array) => np.Array> = {
  gelu,
  logSigmoid,
  relu,
  sigmoid,
  silu,
  softplus,
};

/** Closed forms in float64, [value, derivative], at points where naive formulas overflow. */
const closedForms: Record<string, (x: number) => [number, number]> = {
  relu: (x) => [Math.max(x, 0), x > 0 ? 1 : 0],
  sigmoid: (x) => {
    const small = Math.exp(-Math.abs(x));
    return [x >= 0 ? 1 / (1 + small) : small / (1 + small), small / (1 + small) ** 2];
  },
  softplus: (x) => [Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), closedForms.sigmoid(x)[0]],
  logSigmoid: (x) => [-closedForms.softplus(-x)[0], closedForms.sigmoid(-x)[0]],
  silu: (x) => {
    const [value, slope] = closedForms.sigmoid(x);
    return [x * value, value + x * slope];
  },
  gelu: (x) => {
    const u = 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    const [value, slope] = closedForms.sigmoid(u);
    const derivative = slope === 0 ? 0 : x * slope * 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);
    return [value === 0 ? 0 : x * value, value + derivative];
  },
};
const extremes = [0, 1e-30, 1e-4, 1, 20, 50, 80, 100, 1e4, 1e10, 1e25, 3e38].flatMap((x) =>
  x === 0 ? [0] : [x, -x],
);

describe.each(['native', 'reference'] as const)('%s', async (name) => {
  const backend = await openBackend(name);
  const compute = async (
    fn: (...inputs: np.Array[]) => np.Array[],
    inputs: readonly Input[],
  ): Promise<Buffer[]> => {
    const program = await backend.compile(fn, inputs);
    const outputs = program.outputs.map(createBuffer);
    await program.run(
      inputs.map(({ data }) => data),
      outputs,
    );
    program.dispose();
    return outputs;
  };

  test.each(Object.entries(nnCases))('%s: value and gradient', async (_, testCase) => {
    await checkCase(backend, testCase);
  });

  test.each(Object.entries(closedForms))(
    '%s is right where exponentials overflow',
    async (key, closedForm) => {
      const fn = activations[key];
      const slope = (x: np.Array) => grad((y: np.Array) => fn(y).sum())(x);
      const [values, slopes] = await compute((x) => [fn(x.ref), slope(x)], [vector(...extremes)]);
      extremes.forEach((x, index) => {
        const [value, derivative] = closedForm(x);
        const tolerance = (expected: number) => 3e-5 * Math.abs(expected) + 1e-30;
        expect(
          Math.abs(values[index] - value),
          `${key}(${x}) is ${values[index]}, not ${value}`,
        ).toBeLessThanOrEqual(tolerance(value));
        expect(
          Math.abs(slopes[index] - derivative),
          `${key}'(${x}) is ${slopes[index]}, not ${derivative}`,
        ).toBeLessThanOrEqual(tolerance(derivative) + 1e-6 * Number(Math.abs(x) > 40));
      });
    },
  );

  test('losses of extreme logits are finite, and so are their gradients', async () => {
    const logits: Input = {
      shape: [3, 3],
      dtype: 'float32',
      data: Float32Array.of(1e4, -1e4, 0, 3e38, 1, -3e38, 88, 89, 90),
    };
    const labels: Input = { shape: [3], dtype: 'int32', data: Int32Array.of(0, 0, 1) };
    const fn = (z: np.Array, y: np.Array) => [
      crossEntropy(z.ref, y.ref),
      grad((at: np.Array) => crossEntropy(at, y))(z),
    ];
    const [loss, gradient] = await compute(fn, [logits, labels]);
    expect(loss[0]).toBeCloseTo((0 + 0 + Math.log(Math.exp(-1) + 1 + Math.E)) / 3, 5);
    expect(Array.from(gradient).every(Number.isFinite)).toBe(true);
    const [binary, slope] = await compute(
      (z, y) => [
        binaryCrossEntropyWithLogits(z.ref, y.ref),
        grad((at: np.Array) => binaryCrossEntropyWithLogits(at, y))(z),
      ],
      [vector(1000, -1000, 90, -90), vector(1, 1, 0, 0)],
    );
    expect(binary[0]).toBeCloseTo((0 + 1000 + 90 + 0) / 4, 3);
    expect(Array.from(slope)).toEqual([0, -0.25, 0.25, 0].map((x) => expect.closeTo(x, 6)));
  });

  test('distillation is as in the paper: the divergence of softened outputs times T^2, and a share of the labels', async () => {
    const [temperature, labelShare] = [2.5, 0.3];
    const student = [
      [1, -2, 0.5],
      [0, 4, -1],
    ];
    const teacher = [
      [3, 0, 2],
      [-1, 2, 2],
    ];
    const softmax = (z: readonly number[], t: number) => {
      const exponentials = z.map((value) => Math.exp(value / t));
      const sum = exponentials.reduce((a, b) => a + b);
      return exponentials.map((value) => value / sum);
    };
    const labels = [0, 2];
    const losses = student.map((z, example) => {
      const [p, q] = [softmax(teacher[example], temperature), softmax(z, temperature)];
      const divergence = p.reduce((sum, x, k) => sum + x * Math.log(x / q[k]), 0);
      const ofLabel = -Math.log(softmax(z, 1)[labels[example]]);
      return labelShare * ofLabel + (1 - labelShare) * temperature ** 2 * divergence;
    });
    const matrix = (rows: number[][]): Input => ({
      shape: [2, 3],
      dtype: 'float32',
      data: Float32Array.from(rows.flat()),
    });
    const y: Input = { shape: [2], dtype: 'int32', data: Int32Array.from(labels) };
    const inputs = [matrix(student), matrix(teacher), y];
    const options = { temperature, labelShare };
    const [loss, toTeacher] = await compute(
      (z, t, y) => [
        distillation(z.ref, t.ref, y.ref, options),
        grad((at: np.Array) => distillation(z, at, y, options))(t),
      ],
      inputs,
    );
    expect(loss[0]).toBeCloseTo((losses[0] + losses[1]) / 2, 4);
    expect([...toTeacher]).toEqual([0, 0, 0, 0, 0, 0]);

    const agreeing = await compute(
      (z, t, y) => [distillation(z, t, y, { temperature, labelShare: 0 })],
      [inputs[1], inputs[1], y],
    );
    expect(agreeing[0][0]).toBeCloseTo(0, 6);
    const narrow: Input = { shape: [2, 2], dtype: 'float32', data: new Float32Array(4) };
    await expect(compute((z, t, y) => [distillation(z, t, y)], [inputs[0], narrow, y])).rejects.toThrow(
      /the teacher's logits have the shape \[2, 2\], the student's \[2, 3\]/,
    );
    await expect(compute((z, t, y) => [distillation(z, t, y, { temperature: 0 })], inputs)).rejects.toThrow(
      /distillation with the temperature 0/,
    );
  });

  test('layer normalisation keeps its digits where the mean is large', async () => {
    const fn = (x: np.Array) => [
      layerNorm({ scale: np.ones([4]), offset: np.zeros([4]) }, x.reshape([1, 4])),
    ];
    const [values] = await compute(fn, [vector(1e4, 1e4 + 1, 1e4 + 2, 1e4 + 3)]);
    const expected = [-1.5, -0.5, 0.5, 1.5].map((x) => x / Math.sqrt(1.25 + 1e-5));
    expected.forEach((value, index) => {
      expect(values[index]).toBeCloseTo(value, 4);
    });
  });

  test('a label that is no class is an error that says which', async () => {
    const logits: Input = { shape: [2, 3], dtype: 'float32', data: new Float32Array(6) };
    const labels: Input = { shape: [2], dtype: 'int32', data: Int32Array.of(1, 3) };
    await expect(compute((z, y) => [crossEntropy(z, y)], [logits, labels])).rejects.toThrow(
      /the index 3 is out of range/,
    );
  });

  test('labels of a wrong shape or type are refused', async () => {
    const logits: Input = { shape: [2, 3], dtype: 'float32', data: new Float32Array(6) };
    await expect(compute((z, y) => [crossEntropy(z, y)], [logits, vector(0, 1)])).rejects.toThrow(
      /labels are float32 \[2\]/,
    );
  });

  test('dropout keeps the mean, drops the stated share, and follows its key', async () => {
    const x: Input = { shape: [10_000], dtype: 'float32', data: new Float32Array(10_000).fill(1) };
    const key = (seed: number): Input => ({ shape: [2], dtype: 'int32', data: Int32Array.of(seed, -seed) });
    const [first] = await compute((a, k) => [dropout(k, a, 0.25)], [x, key(1)]);
    const [again] = await compute((a, k) => [dropout(k, a, 0.25)], [x, key(1)]);
    const [other] = await compute((a, k) => [dropout(k, a, 0.25)], [x, key(2)]);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const dropped = Array.from(first).filter((value) => value === 0).length / 10_000;
    expect(dropped).toBeCloseTo(0.25, 1);
    expect(Array.from(first).find((value) => value !== 0)).toBeCloseTo(1 / 0.75, 6);
  });

  test('the same key gives the same random numbers on both backends', async () => {
    const [bits] = await compute(() => [random.bits(random.key(7), [100])], []);
    expect(Array.from(bits)).toEqual(Array.from(await random.bits(random.key(7), [100]).data()));
  });
});
