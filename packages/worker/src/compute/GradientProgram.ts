import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { ParameterShape } from '../autodiff/initialParameters.ts';
import type { Prediction } from '../autodiff/kroneckerFactors.ts';
import {
  evaluationFunction,
  gaussNewtonVectorFunction,
  hessianProductsFunction,
  hessianVectorFunction,
  kroneckerFactorsFunction,
  lossAndGradientFunction,
  lossFunction,
  metricProductsFunction,
  predictFunction,
  twoPartLossFunction,
} from '../autodiff/modelFunctions.ts';
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

/** Rows of a Hessian computed together: enough to keep the cores busy, few enough that a batch times so many fits in memory. */
const hessianRowsAtOnce = 32;

type Purpose =
  | 'gradient'
  | 'loss'
  | 'loss in two parts'
  | 'Hessian'
  | 'metric'
  | 'Hessian-vector product'
  | 'Gauss-Newton product'
  | 'Kronecker factors of classes'
  | 'Kronecker factors of numbers'
  | 'evaluation'
  | 'prediction';
const functionFor: Record<
  Purpose,
  (model: Model, structure: TreeStructure, fields: readonly string[], layout: Layout) => ArrayFunction
> = {
  gradient: lossAndGradientFunction,
  loss: lossFunction,
  'loss in two parts': twoPartLossFunction,
  Hessian: hessianProductsFunction,
  metric: metricProductsFunction,
  'Hessian-vector product': hessianVectorFunction,
  'Gauss-Newton product': gaussNewtonVectorFunction,
  'Kronecker factors of classes': kroneckerFactorsFunction('classes'),
  'Kronecker factors of numbers': kroneckerFactorsFunction('numbers'),
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

  /** The mean loss over the batch. */
  async loss(parameters: Float32Array, batch: Batch): Promise<number> {
    return this.#scalar('loss', parameters, batch);
  }

  /** The same, put together of the two parts in which the model says its loss too. */
  async twoPartLoss(parameters: Float32Array, batch: Batch): Promise<number> {
    return this.#scalar('loss in two parts', parameters, batch);
  }

  /** Fills `product` (flat, as the parameters) with the Hessian of the mean loss, or its Gauss-Newton matrix, times `vector`. */
  async curvatureVectorProduct(
    curvature: 'Hessian-vector product' | 'Gauss-Newton product',
    parameters: Float32Array,
    batch: Batch,
    vector: Float32Array,
    product: Float32Array,
  ): Promise<void> {
    const tensors = this.#parameterSpecs();
    const { program, inputs } = await this.#prepare(curvature, parameters, batch, tensors);
    await program.run([...inputs, ...this.#tensorViews(vector)], this.#tensorViews(product));
  }

  /** Fills `factors` with those of every dense layer, as kroneckerFactors says; targets are drawn from `key`, two whole numbers. */
  async kroneckerFactors(
    prediction: Prediction,
    parameters: Float32Array,
    batch: Batch,
    key: Int32Array,
    factors: Float32Array,
  ): Promise<void> {
    const purpose = `Kronecker factors of ${prediction}` as const;
    const extra: ArraySpec = { shape: [2], dtype: 'int32' };
    const { program, inputs } = await this.#prepare(purpose, parameters, batch, [extra]);
    await program.run([...inputs, key], [factors]);
  }

  /**
   * Fills `triangle` with the lower triangle of the Hessian of the mean loss over the parameters at these places, row by row. Computed in blocks of rows, so that the memory it takes
   * grows with the model and not with its square.
   */
  async hessian(
    parameters: Float32Array,
    batch: Batch,
    places: readonly Range[],
    triangle: Float32Array,
  ): Promise<void> {
    await this.#triangle('Hessian', parameters, batch, places, triangle);
  }

  /** Fills `triangle` with the Fubini-Study metric of the model's states, their mean over the batch, as `hessian` does. */
  async metric(
    parameters: Float32Array,
    batch: Batch,
    places: readonly Range[],
    triangle: Float32Array,
  ): Promise<void> {
    await this.#triangle('metric', parameters, batch, places, triangle);
  }

  async #triangle(
    purpose: 'Hessian' | 'metric',
    parameters: Float32Array,
    batch: Batch,
    places: readonly Range[],
    triangle: Float32Array,
  ): Promise<void> {
    const size = this.#layout.length;
    const rows = Math.min(size, hessianRowsAtOnce);
    const extra: ArraySpec = { shape: [rows, size], dtype: 'float32' };
    const { program, inputs } = await this.#prepare(purpose, parameters, batch, [extra]);
    const directions = new Float32Array(rows * size);
    const products = new Float32Array(rows * size);
    const columns = places.flatMap(({ begin, end }) =>
      Array.from({ length: end - begin }, (_, index) => begin + index),
    );
    let filled = 0;
    for (let begin = 0; begin < columns.length; begin += rows) {
      const group = columns.slice(begin, begin + rows);
      directions.fill(0);
      for (const [row, column] of group.entries()) directions[row * size + column] = 1;
      await program.run([...inputs, directions], [products]);
      for (const [row, last] of group.entries()) {
        for (const place of places) {
          if (place.begin > last) break;
          const part = products.subarray(
            row * size + place.begin,
            row * size + Math.min(place.end, last + 1),
          );
          triangle.set(part, filled);
          filled += part.length;
        }
      }
    }
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
  async prepare(batch: Batch): Promise<Pick<Program, 'backend' | 'indexes'>> {
    const { program } = await this.#prepare('gradient', new Float32Array(this.#layout.length), batch);
    return program;
  }

  dispose(): void {
    this.#programs.dispose();
  }

  async #scalar(purpose: Purpose, parameters: Float32Array, batch: Batch): Promise<number> {
    const { program, inputs } = await this.#prepare(purpose, parameters, batch);
    const result = new Float32Array(1);
    await program.run(inputs, [result]);
    return result[0];
  }

  async #prepare(
    purpose: Purpose,
    parameters: Float32Array,
    batch: Batch,
    extra: readonly ArraySpec[] = [],
  ): Promise<{ program: Program; inputs: Buffer[] }> {
    const fields = Object.keys(batch).sort();
    const key = `${purpose} ${describeBatch(batch, fields)}`;
    const program = await this.#programs.get(key, () => this.#compile(purpose, batch, fields, extra));
    const inputs = [...this.#tensorViews(parameters), ...fields.map((field) => batch[field].data)];
    return { program, inputs };
  }

  async #compile(
    purpose: Purpose,
    batch: Batch,
    fields: readonly string[],
    extra: readonly ArraySpec[],
  ): Promise<Program> {
    const batchSpecs = fields.map(
      (field): ArraySpec => ({
        shape: batch[field].shape,
        dtype: batch[field].data instanceof Int32Array ? 'int32' : 'float32',
      }),
    );
    try {
      const fn = functionFor[purpose](this.#model, this.#structure, fields, this.#layout);
      const specs = [...this.#parameterSpecs(), ...batchSpecs, ...extra];
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

  #parameterSpecs(): ArraySpec[] {
    return this.#layout.tensors.map(({ shape }) => ({ shape, dtype: 'float32' }));
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
