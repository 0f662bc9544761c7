import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import type { ParameterShape } from '../autodiff/initialParameters.ts';
import { evaluationFunction, lossAndGradientFunction, predictFunction } from '../autodiff/modelFunctions.ts';
import type { TreeStructure } from '../autodiff/parameterTree.ts';
import { requireSameTrace } from '../autodiff/requireSameTrace.ts';
import type { Batch } from '../data/Dataset.ts';
import type { Model } from '../job/Model.ts';
import type { ArrayFunction, ArraySpec, Buffer, ComputeBackend, Program } from './ComputeBackend.ts';
import { createBuffer } from './checkBuffers.ts';
import { ProgramCache } from './ProgramCache.ts';

/** A model over flat parameters: what the training loop calls. */
export interface Evaluation {
  /** Mean loss over the batch. */
  readonly loss: number;
  /** Fraction right, if the model says what that is. */
  readonly accuracy: number | undefined;
}

type Purpose = 'gradient' | 'evaluation' | 'prediction';
const functionFor: Record<
  Purpose,
  (model: Model, structure: TreeStructure, fields: readonly string[]) => ArrayFunction
> = {
  gradient: lossAndGradientFunction,
  evaluation: evaluationFunction,
  prediction: predictFunction,
};

/**
 * A model's loss, gradient, accuracy and predictions as functions of the flat parameter vector and a batch.
 * Compiles once for each shape of batch. Parameters are read where they lie, and gradients written where they belong: no copies here.
 */
export class GradientProgram {
  readonly #backend: ComputeBackend;
  readonly #model: Model;
  readonly #layout: Layout;
  readonly #structure: TreeStructure;
  readonly #programs = new ProgramCache();

  constructor(backend: ComputeBackend, model: Model, shape: ParameterShape) {
    this.#backend = backend;
    this.#model = model;
    this.#layout = shape.layout;
    this.#structure = shape.structure;
  }

  /**
   * Fills `gradient` (flat, the layout of the parameters) with the gradient of the mean loss over the batch, and returns the loss.
   * Throws INVALID_ARGUMENT, saying the batch's shapes, if the model cannot take the batch; UNIMPLEMENTED if the backend cannot run the model.
   */
  async run(parameters: Float32Array, batch: Batch, gradient: Float32Array): Promise<number> {
    const { program, inputs } = await this.#prepare('gradient', parameters, batch);
    const loss = new Float32Array(1);
    await program.run(inputs, [loss, ...this.#tensorViews(gradient)]);
    return loss[0];
  }

  async evaluate(parameters: Float32Array, batch: Batch): Promise<Evaluation> {
    const { program, inputs } = await this.#prepare('evaluation', parameters, batch);
    const outputs = program.outputs.map(createBuffer);
    await program.run(inputs, outputs);
    return { loss: outputs[0][0], accuracy: outputs[1]?.[0] };
  }

  /** Row-major outputs, first dimension the examples of the batch. */
  async predict(parameters: Float32Array, batch: Batch): Promise<{ shape: readonly number[]; data: Buffer }> {
    const { program, inputs } = await this.#prepare('prediction', parameters, batch);
    const data = createBuffer(program.outputs[0]);
    await program.run(inputs, [data]);
    return { shape: program.outputs[0].shape, data };
  }

  /** Compiles for the gradient of such a batch without running it, and says which backend took it. */
  async prepare(batch: Batch): Promise<'native' | 'reference'> {
    const { program } = await this.#prepare('gradient', new Float32Array(this.#layout.length), batch);
    return program.backend;
  }

  dispose(): void {
    this.#programs.dispose();
  }

  async #prepare(
    purpose: Purpose,
    parameters: Float32Array,
    batch: Batch,
  ): Promise<{ program: Program; inputs: Buffer[] }> {
    const fields = Object.keys(batch).sort();
    const key = `${purpose} ${describeBatch(batch, fields)}`;
    const program = await this.#programs.get(key, () => this.#compile(purpose, batch, fields));
    const inputs = [...this.#tensorViews(parameters), ...fields.map((field) => batch[field].data)];
    return { program, inputs };
  }

  async #compile(purpose: Purpose, batch: Batch, fields: readonly string[]): Promise<Program> {
    const parameterSpecs = this.#layout.tensors.map(({ shape }): ArraySpec => ({ shape, dtype: 'float32' }));
    const batchSpecs = fields.map(
      (field): ArraySpec => ({
        shape: batch[field].shape,
        dtype: batch[field].data instanceof Int32Array ? 'int32' : 'float32',
      }),
    );
    try {
      const fn = functionFor[purpose](this.#model, this.#structure, fields);
      const specs = [...parameterSpecs, ...batchSpecs];
      await requireSameTrace(purpose, fn, specs);
      return await this.#backend.compile(fn, specs);
    } catch (error) {
      if (error instanceof TributaryError) throw error;
      // What jax-js says of shapes that do not fit, or the model itself of a field that the batch lacks.
      const message = error instanceof Error ? error.message : String(error);
      throw new TributaryError(
        'INVALID_ARGUMENT',
        `the model cannot compute its ${purpose} for a batch of ${describeBatch(batch, fields)}: ${message}`,
        { hint: 'Compare the fields of the data set with those that the model reads.', cause: error },
      );
    }
  }

  #tensorViews(flat: Float32Array): Float32Array[] {
    return this.#layout.tensors.map(({ offset, length }) => flat.subarray(offset, offset + length));
  }
}

function describeBatch(batch: Batch, fields: readonly string[]): string {
  return fields
    .map((field) => {
      const { shape, data } = batch[field];
      return `${field}: ${data instanceof Int32Array ? 'int32' : 'float32'} [${shape.join(', ')}]`;
    })
    .join(', ');
}
