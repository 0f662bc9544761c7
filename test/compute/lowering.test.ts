import { numpy as np } from '@jax-js/jax';
import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import {
  type Equation,
  type TracedProgram,
  traceFunction,
} from '@tributary/worker/autodiff/TracedProgram.ts';
import { lowerSegment } from '@tributary/worker/compute/native/lowering/lowerSegment.ts';
import { partition } from '@tributary/worker/compute/native/lowering/partition.ts';
import { hostPrimitives, rules } from '@tributary/worker/compute/native/lowering/rules.ts';
import {
  contiguous,
  regrouped,
  type Tensor,
  transposed,
} from '@tributary/worker/compute/native/lowering/View.ts';
import { encodeModel } from '@tributary/worker/compute/native/onnx/encodeModel.ts';
import { checkHostEquation } from '@tributary/worker/compute/native/runOnHost.ts';
import { beforeAll, expect, test } from 'vitest';

beforeAll(initialiseJax);

const spec = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const tensor = (...shape: number[]): Tensor => ({ name: 't', shape, type: 'float32', uniform: undefined });

/** A trace with its last equation changed: what a newer jax-js may bring. */
function withChanged(program: TracedProgram, change: Partial<Equation>): TracedProgram {
  const last = program.equations.at(-1)!;
  const changed = {
    ...last,
    inputs: last.inputs,
    params: last.params,
    outBinders: last.outBinders,
    ...change,
  } as Equation;
  return { ...program, equations: program.equations.with(-1, changed) };
}
function operationsOf(program: TracedProgram): string[] {
  return lowerSegment(partition(program)[0].segment, new Map()).model.nodes.map(({ op }) => op);
}

test('every primitive of jax-js is lowered, runs on the host, or is a call that flattening takes away', () => {
  const primitives = Object.keys(np.Array._implRules());
  expect(primitives.length).toBe(51);
  expect(primitives.filter((primitive) => !rules.has(primitive) && !hostPrimitives.has(primitive))).toEqual([
    'jit',
  ]);
});

test('an unknown primitive is an error that names it', () => {
  const program = withChanged(
    traceFunction((x) => [np.sin(x)], [spec(2)]),
    { primitive: 'bessel' as never },
  );
  expect(() => operationsOf(program)).toThrow(/cannot run the primitive "bessel"/);
});

test('an unknown parameter is an error that names it, on the host too', () => {
  const flipped = withChanged(
    traceFunction((x) => [np.flip(x)], [spec(2)]),
    { params: { axis: [0], lazily: true } },
  );
  expect(() => operationsOf(flipped)).toThrow(/"flip" with the parameter "lazily"/);
  const { equations } = traceFunction((x) => [np.linalg.cholesky(x)], [spec(2, 2)]);
  const cholesky = equations.find(({ primitive }) => String(primitive) === 'cholesky')!;
  const changed = { primitive: cholesky.primitive, params: { pivoted: true } } as unknown as Equation;
  expect(() => checkHostEquation(changed)).toThrow(/"cholesky" with the parameter "pivoted"/);
});

test('views cost nothing: no transposition, no copy of repeated rows, one product', () => {
  const program = traceFunction(
    (x, w, b) => [np.maximum(0, np.matmul(x.transpose(), w.transpose()).add(b)).sum()],
    [spec(20, 8), spec(5, 20), spec(5)],
  );
  const operations = operationsOf(program);
  expect(operations.filter((op) => op === 'Transpose' || op === 'Expand')).toEqual([]);
  expect(operations.filter((op) => op === 'Gemm').length).toBe(1);
});

test('a view is regrouped by splitting atoms, or not at all', () => {
  const view = transposed(contiguous(tensor(4, 6)), [1, 0]);
  const split = regrouped(view, [2, 3, 4])!;
  expect(split.shape).toEqual([2, 3, 4]);
  expect(split.storage.map(({ size }) => size)).toEqual([4, 2, 3]);
  expect(regrouped(view, [8, 3])).toBeUndefined();
  expect(regrouped(contiguous(tensor(4, 6)), [24])!.axes[0].map(({ size }) => size)).toEqual([4, 6]);
});

test('programs without linear algebra are one graph; others are cut only where they must be', () => {
  const plain = traceFunction((x) => [np.tanh(np.matmul(x.ref, x))], [spec(3, 3)]);
  expect(partition(plain).map(({ hostEquations }) => hostEquations.length)).toEqual([0]);
  const twoAtOnce = traceFunction(
    (x, y) => [
      np.linalg
        .cholesky(np.exp(x))
        .add(np.linalg.cholesky(np.exp(y)))
        .sum(),
    ],
    [spec(2, 2), spec(2, 2)],
  );
  expect(partition(twoAtOnce).map(({ hostEquations }) => hostEquations.length)).toEqual([2, 0]);
});

test('what no output needs is not in the model', () => {
  const program = traceFunction(
    (x, y) => {
      const [first, second] = np.split(x, 2);
      second.dispose();
      y.dispose();
      return [first];
    },
    [spec(4), spec(3)],
  );
  const { model } = lowerSegment(partition(program)[0].segment, new Map());
  expect(model.nodes.map(({ op }) => op)).toEqual(['Slice', 'Identity']);
  expect(model.inputs.map(({ shape }) => shape)).toEqual([[4]]);
});

test('a model is encoded as protobuf', () => {
  const bytes = encodeModel({
    nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'], attributes: {}, domain: '' }],
    constants: [],
    inputs: [{ name: 'x', type: 'float32', shape: [300] }],
    outputs: [{ name: 'y', type: 'float32', shape: [300] }],
  });
  // ir_version = 9, producer_name = "tributary"; and 300 as a varint of two bytes.
  expect(Array.from(bytes.subarray(0, 4))).toEqual([0x08, 9, 0x12, 9]);
  expect(Buffer.from(bytes).includes(Buffer.from([0x08, 0xac, 0x02]))).toBe(true);
});
