import { grad, nn, numpy as np } from '@jax-js/jax';
import type { Buffer } from '@tributary/worker/compute/ComputeBackend.ts';
import { createBuffer, elementCount } from '@tributary/worker/compute/checkBuffers.ts';
import { openBackend } from '@tributary/worker/compute/openBackend.ts';
import fc from 'fast-check';
import { test } from 'vitest';
import { expectClose } from './oracle/checkCase.ts';

/** One instruction of a random program: what to do, to which of the arrays so far, and two numbers that decide the rest. */
type Instruction = readonly [operation: number, left: number, right: number, detail: number];

type Binary = (x: np.Array, y: np.Array, detail: number) => np.Array;

/** An operation on one array, which leaves scalars as they are if it needs an axis. */
function unary(fn: (x: np.Array, detail: number, axis: number) => np.Array): Binary {
  return (x, y, detail) => {
    y.dispose();
    return fn(x, detail, x.ndim === 0 ? 0 : detail % x.ndim);
  };
}
function alongAxis(fn: (x: np.Array, axis: number) => np.Array): Binary {
  return unary((x, _, axis) => (x.ndim === 0 ? x : fn(x, axis)));
}

/** Every operation can do something with any arrays, so that every list of numbers is a program. */
const operations: Binary[] = [
  (x, y) => broadcasting(x, y, (a, b) => a.add(b)),
  (x, y) => broadcasting(x, y, (a, b) => a.mul(b)),
  (x, y) => broadcasting(x, y, (a, b) => a.sub(b.mul(0.5))),
  (x, y) => broadcasting(x, y, (a, b) => np.where(a.ref.less(b.ref), a, b)),
  contracted,
  contracted,
  unary((x, detail) => np.transpose(x, rotated(x.ndim, detail))),
  unary((x, detail) => x.reshape(otherShape(x.shape, detail))),
  unary((x, detail) => np.broadcastTo(x.ref, [(detail % 3) + 1, ...x.shape]).mul(x.sum())),
  unary((x) => np.tanh(x)),
  unary((x) => np.exp(np.tanh(x))),
  unary((x) => np.square(x)),
  alongAxis((x, axis) => x.sum(axis)),
  alongAxis((x, axis) => x.mean(axis, { keepdims: true })),
  alongAxis((x, axis) => np.flip(x, axis)),
  alongAxis((x, axis) => np.concatenate([x.ref, x.mul(2)], axis)),
  alongAxis((x) => x.slice([0, Math.ceil(x.shape[0] / 2)])),
  alongAxis((x, axis) => np.pad(x, { [axis]: [1, 0] })),
  alongAxis((x, axis) => nn.softmax(x, axis)),
];

function broadcasting(x: np.Array, y: np.Array, fn: (a: np.Array, b: np.Array) => np.Array): np.Array {
  const rank = Math.min(x.ndim, y.ndim);
  const fits = Array.from({ length: rank }, (_, k) => [x.shape.at(-k - 1)!, y.shape.at(-k - 1)!]);
  if (fits.every(([a, b]) => a === b || a === 1 || b === 1)) return fn(x, y);
  return fn(x, y.sum());
}

/** A matrix product where the shapes allow one, else an outer product of sums. */
function contracted(x: np.Array, y: np.Array): np.Array {
  if (x.ndim >= 1 && y.ndim >= 2 && x.shape.at(-1) === y.shape.at(-2) && y.ndim === 2) return np.matmul(x, y);
  if (x.ndim >= 2 && y.ndim === 2 && x.shape.at(-1) === y.shape.at(-1)) return np.matmul(x, y.transpose());
  if (x.ndim === 2 && y.ndim === 2 && x.shape[0] === y.shape[0]) return np.matmul(x.transpose(), y);
  return np.outer(
    x.ndim === 0 ? x.reshape([1]) : x.reshape([-1]).slice([0, Math.min(3, x.size)]),
    y.reshape([-1]).slice([0, Math.min(4, y.size)]),
  );
}

function rotated(rank: number, by: number): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis + by) % Math.max(rank, 1));
}

/** Another shape of as many elements. */
function otherShape(shape: readonly number[], detail: number): number[] {
  const size = elementCount(shape);
  const divisors = Array.from({ length: size }, (_, k) => k + 1).filter((d) => size % d === 0);
  const first = divisors[detail % divisors.length];
  return detail % 2 === 0 ? [first, size / first] : [1, first, size / first];
}

const elementsMax = 400;

function runProgram(instructions: readonly Instruction[], inputs: readonly np.Array[]): np.Array {
  const arrays = [...inputs];
  for (const [operation, left, right, detail] of instructions) {
    const [x, y] = [arrays[left % arrays.length].ref, arrays[right % arrays.length].ref];
    const result = operations[operation % operations.length](x, y, detail);
    // Sizes stay within bounds, and so do values.
    arrays.push(result.size > elementsMax || result.ndim > 5 ? np.tanh(result.mean()) : np.tanh(result));
  }
  const total = arrays.map((array) => array.sum()).reduce((sum, term) => sum.add(term));
  return total;
}

const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 3 });
const instruction = fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000));
const program = fc.record({
  shapes: fc.array(shape, { minLength: 2, maxLength: 4 }),
  instructions: fc.array(instruction, { minLength: 1, maxLength: 12 }),
});

/** Both round differently at every step of up to twelve; what they compute is bounded by the number of elements. */
const tolerance = 2e-4;

test('native and reference agree on random programs and their gradients', { timeout: 120_000 }, async () => {
  const [native, reference] = [await openBackend('native'), await openBackend('reference')];
  await fc.assert(
    fc.asyncProperty(program, async ({ shapes, instructions }) => {
      const specs = shapes.map((dimensions) => ({ shape: dimensions, dtype: 'float32' as const }));
      const inputs = specs.map(({ shape: own }, k) =>
        Float32Array.from({ length: elementCount(own) }, (_, index) => Math.sin(1 + 7 * k + 3 * index)),
      );
      const fn = (...arrays: np.Array[]) => {
        const kept = arrays.map((array) => array.ref);
        const argnums = arrays.map((_, index) => index);
        const gradients = grad((...xs: np.Array[]) => runProgram(instructions, xs), { argnums })(...kept);
        return [runProgram(instructions, arrays), ...(gradients as np.Array[])];
      };
      const results: Buffer[][] = [];
      for (const backend of [native, reference]) {
        const compiled = await backend.compile(fn, specs);
        const outputs = compiled.outputs.map(createBuffer);
        await compiled.run(inputs, outputs);
        compiled.dispose();
        results.push(outputs);
      }
      results[1].forEach((expected, index) => {
        expectClose(
          index === 0 ? 'value' : `gradient ${index - 1}`,
          results[0][index],
          Float64Array.from(expected),
          tolerance,
        );
      });
    }),
    { numRuns: 120, seed: 20_261 },
  );
});
