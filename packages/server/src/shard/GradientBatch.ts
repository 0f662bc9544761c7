import type { AdaptiveBatchSpec, JobSpec } from '@tributary/core/job/JobSpec.ts';
import { measuresNoise } from '@tributary/core/job/needsSquares.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import {
  afterBatchStep,
  afterUpdate,
  type BatchState,
  batchBegin,
  batchRateFactor,
  isWhole,
  normsOf,
} from '@tributary/core/optimizer/adaptiveBatch.ts';
import type { GradientNorms } from '@tributary/core/optimizer/gradientNoise.ts';
import type { Total } from '@tributary/core/reduction/TreeSum.ts';

/** What an update showed of the gradient's noise, and how many steps the next one takes. */
export interface MeasuredNoise extends GradientNorms {
  readonly nextSteps: number;
}

const everyStep: AdaptiveBatchSpec = { stepsMax: 1, memory: 0, rate: 'constant' };

/** The steps whose gradients make one update of a shard: each by itself, unless the job adapts its batch (see core/optimizer/adaptiveBatch.ts). */
export class GradientBatch {
  /** Is the noise of the gradient measured? Then `close` needs the squared norm of every batch. */
  readonly measures: boolean;
  readonly #spec: JobSpec;
  readonly #options: AdaptiveBatchSpec;
  readonly #kernels: VectorKernels;
  #state: BatchState;

  /** `numbers` as this class gave them. */
  constructor(spec: JobSpec, kernels: VectorKernels, numbers: readonly number[]) {
    this.#spec = spec;
    this.#kernels = kernels;
    this.#options = spec.adaptiveBatch ?? everyStep;
    this.measures = measuresNoise(spec);
    this.#state = numbers;
  }

  /** What has to be remembered of a job at its start. */
  static begin(spec: JobSpec): BatchState {
    return measuresNoise(spec) ? batchBegin : [];
  }

  get numbers(): readonly number[] {
    return this.#state;
  }

  /** What the learning rate of the update is multiplied with, until `close`. */
  get rateFactor(): number {
    return this.measures ? batchRateFactor(this.#state, this.#options) : 1;
  }

  /**
   * Takes in the sum over the ranks of a step: into `accumulated`, or if it is the last of its batch, the others into it, which is returned: the same vector, or if all ranks skipped the
   * step, one from `take`. The last step of the job ends its batch.
   */
  add(
    step: number,
    total: Total,
    accumulated: Float32Array | undefined,
    take: () => Float32Array,
  ): Pick<Total, 'values' | 'weight'> | undefined {
    if (!this.measures) return total;
    const { values, weight, squares } = total;
    const [, , examplesBefore] = this.#state;
    this.#state = afterBatchStep(this.#state, weight, squares);
    if (accumulated === undefined) return total;
    const ends = isWhole(this.#state) || step + 1 === this.#spec.steps;
    if (ends && examplesBefore === 0) return total;
    if (ends) {
      const sum = values ?? take().fill(0);
      this.#kernels.add(sum, accumulated);
      return { values: sum, weight: examplesBefore + weight };
    }
    if (values === undefined) return undefined;
    if (examplesBefore > 0) this.#kernels.add(accumulated, values);
    else accumulated.set(values);
    return undefined;
  }

  /** After the update, whose mean gradient has this squared norm. Undefined of one without examples. */
  close(squares: number): MeasuredNoise | undefined {
    const norms = normsOf(this.#state, this.#spec.ranks, squares);
    this.#state = afterUpdate(this.#state, this.#options, norms);
    return norms && { ...norms, nextSteps: this.#state[0] };
  }
}
