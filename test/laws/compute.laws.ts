import { numpy as np, vjp } from '@jax-js/jax';
import type { ComputeBackend, Program } from '@tributary/worker/compute/ComputeBackend.ts';
import { expect, test } from 'vitest';

const square = (x: np.Array) => [np.square(x)];
const spec = (...shape: number[]) => ({ shape, dtype: 'float32' as const });

/** What the contract in ComputeBackend.ts promises, for every backend. */
export function computeLaws(open: () => Promise<ComputeBackend>): void {
  async function compile(...args: Parameters<ComputeBackend['compile']>): Promise<Program> {
    return (await open()).compile(...args);
  }

  test('a program states its inputs and outputs', async () => {
    const program = await compile((x) => [x.ref.sum(), x.greater(0)], [spec(2, 3)]);
    expect(program.inputs).toEqual([spec(2, 3)]);
    expect(program.outputs).toEqual([spec(), { shape: [2, 3], dtype: 'bool' }]);
  });

  test('the same inputs give the same bits, run after run and program after program', async () => {
    const x = Float32Array.from({ length: 600 }, (_, index) => Math.sin(index));
    const fn = (a: np.Array) => [np.exp(a.ref).sum(), np.matmul(a.ref, a.transpose())];
    const runs: Float32Array[][] = [];
    for (const program of [await compile(fn, [spec(20, 30)]), await compile(fn, [spec(20, 30)])]) {
      for (let run = 0; run < 3; run++) {
        const outputs = [new Float32Array(1), new Float32Array(400)];
        await program.run([x], outputs);
        runs.push(outputs);
      }
    }
    for (const outputs of runs) expect(outputs).toEqual(runs[0]);
  });

  test('it reads and writes views of larger buffers, shared memory too, and nothing beside them', async () => {
    const program = await compile(square, [spec(3)]);
    for (const memory of [new ArrayBuffer(64), new SharedArrayBuffer(64)]) {
      const all = new Float32Array(memory).fill(7);
      all.set([1, 2, 3], 2);
      await program.run([all.subarray(2, 5)], [all.subarray(8, 11)]);
      expect(Array.from(all)).toEqual([7, 7, 1, 2, 3, 7, 7, 7, 1, 4, 9, 7, 7, 7, 7, 7]);
    }
  });

  test('it keeps no buffer: a later run reads what is there then', async () => {
    const program = await compile(square, [spec(2)]);
    const [x, y] = [Float32Array.of(1, 2), new Float32Array(2)];
    await program.run([x], [y]);
    x.set([3, 4]);
    expect(Array.from(y)).toEqual([1, 4]);
    await program.run([x], [y]);
    expect(Array.from(y)).toEqual([9, 16]);
  });

  test('an input may be an output, an output may be given twice, and may be a constant', async () => {
    const program = await compile((x) => [x.ref, x.ref.mul(2), x, np.array([5, 6])], [spec(2)]);
    const outputs = Array.from({ length: 4 }, () => new Float32Array(2));
    await program.run([Float32Array.of(1, 2)], outputs);
    expect(outputs.map((output) => Array.from(output))).toEqual([
      [1, 2],
      [2, 4],
      [1, 2],
      [5, 6],
    ]);
  });

  test('every element type goes in and out', async () => {
    const types = ['float32', 'int32', 'uint32', 'bool'] as const;
    const program = await compile(
      (...xs) => xs.toReversed(),
      types.map((dtype) => ({ shape: [2], dtype })),
    );
    const inputs = [
      Float32Array.of(1.5, -2),
      Int32Array.of(-3, 4),
      Uint32Array.of(2 ** 32 - 1, 5),
      Uint8Array.of(1, 0),
    ];
    const outputs = [new Uint8Array(2), new Uint32Array(2), new Int32Array(2), new Float32Array(2)];
    await program.run(inputs, outputs);
    expect(outputs).toEqual(inputs.toReversed());
  });

  test('buffers of a wrong number, type or length are refused by name', async () => {
    const program = await compile(square, [spec(3)]);
    const [x, y] = [new Float32Array(3), new Float32Array(3)];
    await expect(program.run([], [y])).rejects.toThrow(/1 inputs, got 0/);
    await expect(program.run([new Int32Array(3)], [y])).rejects.toThrow(
      /input 0 is float32 \[3\], got Int32Array/,
    );
    await expect(program.run([x], [new Float32Array(4)])).rejects.toThrow(/output 0 .* length 4/);
  });

  test('a function that consumes an array twice is refused', async () => {
    await expect(compile((x) => [x.mul(x)], [spec(2)])).rejects.toThrow(/uses an array twice/);
  });

  test('runs may overlap', async () => {
    const program = await compile(square, [spec(100)]);
    const inputs = Array.from({ length: 8 }, (_, run) => new Float32Array(100).fill(run));
    const outputs = inputs.map(() => new Float32Array(100));
    await Promise.all(inputs.map((x, run) => program.run([x], [outputs[run]])));
    outputs.forEach((output, run) => {
      expect(output).toEqual(new Float32Array(100).fill(run * run));
    });
  });

  test('an index out of range is an error, and a negative one counts from the end', async () => {
    const program = await compile((x, i) => [np.take(x, i, 0)], [spec(3, 2), { shape: [2], dtype: 'int32' }]);
    const x = Float32Array.of(0, 1, 10, 11, 20, 21);
    const y = new Float32Array(4);
    await program.run([x, Int32Array.of(-1, 0)], [y]);
    expect(Array.from(y)).toEqual([20, 21, 0, 1]);
    await expect(program.run([x, Int32Array.of(0, 3)], [y])).rejects.toThrow(/index 3 is out of range/);
    await expect(program.run([x, Int32Array.of(0, -4)], [y])).rejects.toThrow(/index -4 is out of range/);
  });

  test('the gradient of a table can be had as rows', async () => {
    const table = (updates: np.Array, ids: np.Array) => {
      const rows = updates.mul(2);
      return [rows.ref.sum(), scatterRows(rows, ids)];
    };
    const inputs = [spec(3, 2), { shape: [3], dtype: 'int32' as const }];
    const program = await compile(table, inputs, { sparseOutputs: [1] });
    expect(program.outputs).toEqual([spec(), inputs[1], spec(3, 2)]);
    const [sum, indices, rows] = [new Float32Array(1), new Int32Array(3), new Float32Array(6)];
    await program.run([Float32Array.of(1, 2, 3, 4, 5, 6), Int32Array.of(4, 1, 4)], [sum, indices, rows]);
    expect(Array.from(indices)).toEqual([4, 1, 4]);
    expect(Array.from(rows)).toEqual([2, 4, 6, 8, 10, 12]);
    await expect(compile(square, [spec(3)], { sparseOutputs: [0] })).rejects.toThrow(
      /output 0 is not sparse/,
    );
  });
}

/** The gradient of a lookup, which is how jax-js scatters. */
function scatterRows(rows: np.Array, ids: np.Array): np.Array {
  const lookup = (x: np.Array) => np.take(x, ids, 0);
  const [value, pullBack] = vjp(lookup, [np.zeros([5, 2])]);
  value.dispose();
  const [gradient] = pullBack(rows);
  pullBack.dispose();
  return gradient;
}
