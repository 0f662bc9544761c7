import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import { createLayout } from '@tributary/core/layout/Layout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { expect, test } from 'vitest';
import { tensorVariants } from './optimizerVariants.ts';
import { randomVector } from './randomVector.ts';

/*
 * The methods on whole tensors against float64 versions of their papers' equations, written with matrices as arrays of rows. A step of Muon or SOAP multiplies many
 * matrices; nothing here is shared with the code under test.
 */
type M = number[][];
const allShapes = [[3, 5], [5, 3], [4, 2, 3], [7], [1, 6]];

/** One step on one tensor, given as a matrix (a vector is one row): what it becomes. The state begins empty. */
type Equations = (w: M, g: M, t: number, state: Record<string, M>) => M;

const zip = (a: M, b: M, f: (x: number, y: number) => number): M =>
  a.map((row, i) => row.map((x, j) => f(x, b[i][j])));
const map = (a: M, f: (x: number) => number): M => a.map((row) => row.map(f));
const turned = (a: M): M => a[0].map((_, j) => a.map((row) => row[j]));
const times = (a: M, b: M): M =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
const norm = (a: M) => Math.sqrt(a.flat().reduce((sum, x) => sum + x * x, 0));
const zeros = (a: M): M => map(a, () => 0);
const isMatrix = (a: M) => a.length > 1 && a[0].length > 1;

/** Adam's moments in the state, and the step that they make. */
function adamStep(
  g: M,
  t: number,
  state: Record<string, M>,
  beta1: number,
  beta2: number,
  epsilon: number,
): M {
  state.m = zip(state.m ?? zeros(g), g, (m, x) => beta1 * m + (1 - beta1) * x);
  state.v = zip(state.v ?? zeros(g), g, (v, x) => beta2 * v + (1 - beta2) * x * x);
  return zip(state.m, state.v, (m, v) => m / (1 - beta1 ** t) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon));
}

/** U V' of the singular value decomposition, by Newton's iteration on the whole spectrum: the truth that Muon's five iterations come near. */
function newtonSchulz(a: M, iterations: number): M {
  if (a.length > a[0].length) return turned(newtonSchulz(turned(a), iterations));
  let x = map(a, (value) => value / (norm(a) + 1e-7));
  for (let i = 0; i < iterations; i++) {
    const s = times(x, turned(x));
    const polynomial = zip(s, times(s, s), (p, q) => -4.775 * p + 2.0315 * q);
    x = zip(x, times(polynomial, x), (p, q) => 3.4445 * p + q);
  }
  return x;
}

const cases: { spec: OptimizerSpec; equations: Equations; tolerance: number; shapes?: number[][] }[] = [
  {
    spec: {
      name: 'lars',
      hyperparameters: { learningRate: 2, momentum: 0.9, trust: 0.01, weightDecay: 0.05 },
    },
    tolerance: 1e-5,
    equations(w, g, _t, state) {
      const rate = (0.01 * norm(w)) / (norm(g) + 0.05 * norm(w));
      state.b = zip(
        state.b ?? zeros(w),
        zip(g, w, (x, y) => x + 0.05 * y),
        (b, d) => 0.9 * b + 2 * rate * d,
      );
      return zip(w, state.b, (x, b) => x - b);
    },
  },
  {
    spec: { name: 'lamb', hyperparameters: { learningRate: 0.02, weightDecay: 0.1 } },
    tolerance: 1e-5,
    equations(w, g, t, state) {
      const u = zip(adamStep(g, t, state, 0.9, 0.999, 1e-6), w, (r, x) => r + 0.1 * x);
      return zip(w, u, (x, d) => x - ((0.02 * norm(w)) / norm(u)) * d);
    },
  },
  {
    spec: { name: 'adafactor', hyperparameters: { learningRate: 0.2, weightDecay: 0.1 } },
    tolerance: 1e-5,
    equations(w, g, t, state) {
      const keep = 1 - t ** -0.8;
      const squares = map(g, (x) => x * x + 1e-30);
      const average = (name: string, now: M) => {
        state[name] = zip(state[name] ?? zeros(now), now, (a, b) => keep * a + (1 - keep) * b);
        return state[name];
      };
      let v: M;
      if (isMatrix(w)) {
        const ones = [w[0].map(() => 1)];
        const r = average('r', times(squares, turned(ones)));
        const c = average('c', times([w.map(() => 1)], squares));
        const total = r.flat().reduce((a, b) => a + b);
        v = map(times(r, c), (x) => x / total);
      } else v = average('v', squares);
      const u = zip(g, v, (x, y) => x / Math.sqrt(y));
      const rms = (a: M) => norm(a) / Math.sqrt(a.flat().length);
      const rate = Math.max(1e-3, rms(w)) * Math.min(0.2, 1 / Math.sqrt(t));
      return zip(w, u, (x, d) => (1 - 0.2 * 0.1) * x - (rate / Math.max(1, rms(u))) * d);
    },
  },
  {
    spec: { name: 'muon', hyperparameters: { learningRate: 0.05, weightDecay: 0.1 } },
    tolerance: 1e-4,
    equations(w, g, t, state) {
      if (!isMatrix(w)) {
        const step = adamStep(g, t, state, 0.9, 0.999, 1e-8);
        return zip(w, step, (x, d) => (1 - 0.05 * 0.1) * x - 0.05 * d);
      }
      state.b = zip(state.b ?? zeros(w), g, (b, x) => 0.95 * b + x);
      const o = newtonSchulz(
        zip(g, state.b, (x, b) => x + 0.95 * b),
        5,
      );
      const size = 0.05 * 0.2 * Math.sqrt(Math.max(w.length, w[0].length));
      return zip(w, o, (x, d) => (1 - 0.05 * 0.1) * x - size * d);
    },
  },
  {
    spec: { name: 'soap', hyperparameters: { learningRate: 0.05, weightDecay: 0.1, basisEverySteps: 1000 } },
    tolerance: 1e-4,
    // Square ones: of others the first gradient leaves a part of the basis open.
    shapes: [[4, 4], [4, 2, 2], [7], [1, 6]],
    equations: soapEquations(() => true),
  },
  {
    spec: {
      name: 'soap',
      hyperparameters: { learningRate: 0.05, weightDecay: 0.1, basisEverySteps: 1000, sideMax: 4 },
    },
    tolerance: 1e-4,
    shapes: [
      [3, 5],
      [5, 3],
      [2, 3, 4],
    ],
    equations: soapEquations((side) => side <= 4),
  },
];

/** SOAP with the basis that it finds first; a side that is not turned has the basis that it comes with. */
function soapEquations(isTurned: (side: number) => boolean): Equations {
  const identity = (a: M) => a.map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
  const basis = (a: M) => (isTurned(a.length) ? eigenbasis(a) : identity(a));
  return (w, g, t, state) => {
    if (!isMatrix(w)) {
      const step = adamStep(g, t, state, 0.95, 0.95, 1e-8);
      return zip(w, step, (x, d) => (1 - 0.05 * 0.1) * x - 0.05 * d);
    }
    if (t === 1) {
      state.left = basis(times(g, turned(g)));
      state.right = basis(times(turned(g), g));
      return w;
    }
    const { left, right } = state;
    state.m = zip(state.m ?? zeros(g), g, (m, x) => 0.95 * m + 0.05 * x);
    const inBasis = (a: M) => times(times(turned(left), a), right);
    state.v = zip(state.v ?? zeros(g), inBasis(g), (v, x) => 0.95 * v + 0.05 * x * x);
    const correction = 1 - 0.95 ** (t - 1);
    const n = zip(inBasis(state.m), state.v, (m, v) => m / correction / (Math.sqrt(v / correction) + 1e-8));
    return zip(w, times(times(left, n), turned(right)), (x, d) => (1 - 0.05 * 0.1) * x - 0.05 * d);
  };
}

/** Eigenvectors as columns by deflated power iteration; the sign of a column does not matter here. */
function eigenbasis(given: M): M {
  let a = given;
  const vectors: number[][] = [];
  for (let k = 0; k < given.length; k++) {
    let v = given.map((_, i) => Math.sin(i + k + 1));
    for (let i = 0; i < 3000; i++) {
      v = times(
        a,
        v.map((x) => [x]),
      ).flat();
      for (const u of vectors) {
        const along = u.reduce((sum, x, j) => sum + x * v[j], 0);
        v = v.map((x, j) => x - along * u[j]);
      }
      const size = Math.hypot(...v);
      v = v.map((x) => x / size);
    }
    const value = v.reduce(
      (sum, x, i) =>
        sum +
        x *
          times(
            a,
            v.map((y) => [y]),
          )[i][0],
      0,
    );
    a = a.map((row, i) => row.map((x, j) => x - value * v[i] * v[j]));
    vectors.push(v);
  }
  return turned(vectors);
}

test.each(cases)(
  '$spec.name is its paper, on matrices, kernels and vectors',
  ({ spec, equations, tolerance, shapes = allShapes }) => {
    const optimizer = createOptimizer(spec);
    const learningRate = Number(optimizer.hyperparameters.learningRate);
    for (const shape of shapes) {
      const matrixLike = shape.length > 1 && shape[0] > 1;
      const [rows, columns] = matrixLike
        ? [shape[0], shape.slice(1).reduce((a, b) => a * b)]
        : [1, shape.reduce((a, b) => a * b)];
      const length = rows * columns;
      const toMatrix = (values: Float32Array): M =>
        Array.from({ length: rows }, (_, i) => Array.from(values.subarray(i * columns, (i + 1) * columns)));
      const parameters = gentle(1, length);
      const layout = createLayout([{ name: 'w', shape }]);
      const slots = optimizer
        .slotLayouts(layout)
        .map((slot) => optimizer.beginSlot(slot.name, new Float32Array(slot.layout.length), parameters));
      let exact = toMatrix(parameters);
      const state: Record<string, M> = {};
      for (let count = 1; count <= 15; count++) {
        const gradient = gentle(count + 1, length);
        optimizer.update(parameters, parameters, gradient, slots, { count, learningRate }, shape);
        exact = equations(exact, toMatrix(gradient), count, state);
        const error = norm(zip(exact, toMatrix(parameters), (x, y) => x - y)) / norm(exact);
        expect(error, `${spec.name} [${shape}] step ${count}`).toBeLessThan(tolerance);
      }
    }
  },
);

/** Of sizes near 1: matrices of it are well conditioned enough for eigenvectors to be told apart. */
function gentle(seed: number, length: number): Float32Array {
  return randomVector(seed, length).map((value) => Math.sign(value) * (0.5 + Math.abs(value % 1)));
}

test.each(tensorVariants)(
  '$title: every tensor by itself, out of place as in place, and all that has a gradient moves',
  ({ spec }) => {
    const optimizer = createOptimizer(spec);
    expect(optimizer.wholeTensors).toBe(true);
    const learningRate = Number(optimizer.hyperparameters.learningRate);
    for (const shape of [[40, 6], [6, 40], [], [1], [33], [2, 3, 4], [0, 3]]) {
      const length = shape.reduce((product, dimension) => product * dimension, 1);
      const run = (inPlace: boolean) => {
        const parameters = gentle(1, length);
        const slots = optimizer
          .slotLayouts(createLayout([{ name: 'w', shape }]))
          .map((slot) => optimizer.beginSlot(slot.name, new Float32Array(slot.layout.length), parameters));
        for (let count = 1; count <= 6; count++) {
          const out = inPlace ? parameters : new Float32Array(length).fill(Number.NaN);
          optimizer.update(out, parameters, gentle(count + 1, length), slots, { count, learningRate }, shape);
          parameters.set(out);
        }
        return [parameters, ...slots];
      };
      const state = run(true);
      expect(run(false)).toEqual(state);
      expect(state.every((values) => values.every(Number.isFinite))).toBe(true);
      expect(state[0].every((value, index) => value !== gentle(1, length)[index])).toBe(true);
    }
  },
);
