import { numpy as np } from '@jax-js/jax';
import { evaluateProgram } from '../../autodiff/evaluateProgram.ts';
import { indexes, traceFunction } from '../../autodiff/TracedProgram.ts';
import type {
  ArrayFunction,
  ArraySpec,
  Buffer,
  CompileOptions,
  ComputeBackend,
  Program,
} from '../ComputeBackend.ts';
import { checkBuffers } from '../checkBuffers.ts';
import { outputSpecs } from '../outputSpecs.ts';
import { withSparseOutputs } from '../withSparseOutputs.ts';

/**
 * jax-js, one primitive at a time: slow, and as close as we can come to what the model says. The oracle of the native backend,
 * and what runs when a model uses something that the native backend has no translation for.
 */
export class ReferenceBackend implements ComputeBackend {
  readonly name = 'reference';

  async compile(
    fn: ArrayFunction,
    inputs: readonly ArraySpec[],
    { sparseOutputs = [] }: CompileOptions = {},
  ): Promise<Program> {
    const traced = withSparseOutputs(traceFunction(fn, inputs), sparseOutputs);
    const outputs = outputSpecs(traced);
    return {
      backend: 'reference',
      indexes: indexes(traced),
      inputs,
      outputs,
      async run(inputBuffers, outputBuffers) {
        checkBuffers('input', inputs, inputBuffers);
        checkBuffers('output', outputs, outputBuffers);
        const results = evaluateProgram(
          traced,
          inputs.map((spec, index) => toArray(spec, inputBuffers[index])),
        );
        for (const [index, result] of results.entries()) {
          const data = await result.data();
          outputBuffers[index].set(data as Float32Array);
        }
      },
      dispose: () => traced.dispose(),
    };
  }
}

function toArray({ shape, dtype }: ArraySpec, buffer: Buffer): np.Array {
  // jax-js takes booleans as 32-bit integers, and copies what it is given into its own memory.
  const values = buffer instanceof Uint8Array ? Int32Array.from(buffer) : buffer;
  return np.array(values as Float32Array<ArrayBuffer>, { shape: [...shape], dtype: np[dtype] });
}
