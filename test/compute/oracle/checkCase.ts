import { grad, type numpy as np, numpy } from '@jax-js/jax';
import { traceFunction } from '@tributary/worker/autodiff/TracedProgram.ts';
import type { ArraySpec, Buffer, ComputeBackend } from '@tributary/worker/compute/ComputeBackend.ts';
import { createBuffer } from '@tributary/worker/compute/checkBuffers.ts';
import { expect } from 'vitest';
import { evaluateInFloat64, type Value } from './evaluateInFloat64.ts';

export interface Input extends ArraySpec {
  readonly data: Buffer;
}

/** A function to compute in every way there is. */
export interface Case {
  readonly fn: (...inputs: np.Array[]) => np.Array | readonly np.Array[];
  readonly inputs: readonly Input[];
  /** Check the gradient with respect to every float input too. */
  readonly gradient: boolean;
  /** Allowed error, relative to the largest value of the array. */
  readonly tolerance: number;
}

/** Elements of each input whose derivative is checked singly; besides, the derivative along random directions through all of them. */
const elementsChecked = 12;
const directionsChecked = 2;
const step = 1e-5;

/**
 * Values against the float64 interpreter, and gradients against its central differences.
 */
export async function checkCase(
  backend: ComputeBackend,
  { fn, inputs, gradient, tolerance }: Case,
): Promise<void> {
  const outputsOf = (...arrays: np.Array[]) => [fn(...arrays)].flat() as np.Array[];
  const specs = inputs.map(({ shape, dtype }) => ({ shape, dtype }));
  const traced = traceFunction(outputsOf, specs);
  const oracle = (changed: readonly Value[]) => evaluateInFloat64(traced, changed);
  const values = inputs.map(
    ({ shape, dtype, data }): Value => ({ shape, type: dtype, data: Float64Array.from(data) }),
  );
  const floats = inputs.flatMap(({ dtype }, index) => (dtype === 'float32' ? [index] : []));

  const program = await backend.compile((...arrays) => {
    if (!gradient) return outputsOf(...arrays);
    const kept = arrays.map((array) => array.ref);
    const gradients = grad((...xs: np.Array[]) => weightedSum(outputsOf(...xs)), { argnums: floats })(
      ...kept,
    );
    return [...outputsOf(...arrays), ...(gradients as np.Array[])];
  }, specs);
  const buffers = program.outputs.map(createBuffer);
  await program.run(
    inputs.map(({ data }) => data),
    buffers,
  );
  program.dispose();

  const expected = oracle(values);
  expected.forEach((value, index) => {
    expect(program.outputs[index].shape).toEqual(value.shape);
    expectClose(`output ${index}`, buffers[index], value.data, tolerance);
  });
  if (!gradient) return;
  const objective = (changed: readonly Value[]) =>
    oracle(changed).reduce(
      (sum, { data }, output) => data.reduce((s, x, k) => s + x * weight(output, k), sum),
      0,
    );
  floats.forEach((input, position) => {
    const computed = buffers[expected.length + position] as Float32Array;
    const scale = computed.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1e-3);
    for (const direction of directions(computed.length)) {
      const moved = (distance: number) => {
        const data = values[input].data.map((x, k) => x + distance * direction[k]);
        return objective(values.with(input, { ...values[input], data }));
      };
      const derivative = (moved(step) - moved(-step)) / (2 * step);
      const length = direction.reduce((sum, x) => sum + Math.abs(x), 0);
      const found = computed.reduce((sum, x, k) => sum + x * direction[k], 0);
      const error = Math.abs(found - derivative) / (scale * length);
      expect(error, `gradient of input ${input}: ${found}, not ${derivative}`).toBeLessThan(10 * tolerance);
    }
  });
  traced.dispose();
}

export function expectClose(what: string, found: Buffer, expected: Float64Array, tolerance: number): void {
  const finite = expected.filter(Number.isFinite);
  const scale = finite.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1e-3);
  expected.forEach((value, index) => {
    const other = found[index];
    const error = Object.is(value, other) || value === other ? 0 : Math.abs(value - other) / scale;
    expect(error, `${what}[${index}] is ${other}, not ${value}`).toBeLessThan(tolerance);
  });
}

/** Different for every element, so that no two errors cancel. */
function weight(output: number, element: number): number {
  return Math.fround(Math.cos(1.7 * element + output) + 0.3);
}

function weightedSum(outputs: readonly np.Array[]): np.Array {
  return outputs
    .map((output, index) => {
      const weights = Float32Array.from({ length: output.size }, (_, k) => weight(index, k));
      return output.reshape([-1]).mul(numpy.array(weights)).sum();
    })
    .reduce((sum, term) => sum.add(term));
}

function directions(length: number): Float64Array[] {
  const stride = Math.max(1, Math.floor(length / elementsChecked));
  const single = Array.from({ length: Math.ceil(length / stride) }, (_, k) => {
    const direction = new Float64Array(length);
    direction[k * stride] = 1;
    return direction;
  });
  const random = Array.from({ length: directionsChecked }, (_, k) =>
    Float64Array.from({ length }, (_, element) => Math.cos(2.3 * element * element + k)),
  );
  return [...single, ...random];
}
