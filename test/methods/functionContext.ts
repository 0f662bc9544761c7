import type { StateTensor } from '@tributary/core/layout/methodState.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import {
  type BlockTask,
  readSolved,
  solveBlocksOf,
  solvedLength,
} from '@tributary/worker/methods/quantum/BlockTask.ts';
import type { LossAndGradient, StepContext, StepMethod } from '@tributary/worker/methods/StepMethod.ts';

/** A function of float64 parameters with its derivatives; the Hessian as full rows. */
export interface TestFunction {
  loss(at: ArrayLike<number>): number;
  gradient(at: ArrayLike<number>): number[];
  hessian(at: ArrayLike<number>): number[][];
  metric?(at: ArrayLike<number>): number[][];
}

/** A step method on one process and in float64, so that it can be held against theory; counts passes by quantity. */
export class FunctionContext implements StepContext {
  readonly parameters: Float64Array;
  readonly fullBatch: boolean;
  readonly passes = { loss: 0, gradient: 0, hessian: 0, hessianVector: 0, metric: 0 };
  readonly #fn: TestFunction;
  readonly #state: Map<string, Float64Array>;

  constructor(fn: TestFunction, start: readonly number[], { state }: StepMethod, fullBatch = true) {
    this.#fn = fn;
    this.fullBatch = fullBatch;
    this.parameters = Float64Array.from(start);
    const length = ({ shape }: StateTensor) => shape.reduce((product, dimension) => product * dimension, 1);
    this.#state = new Map(
      state.map((tensor) => [tensor.name, new Float64Array(length(tensor)).fill(tensor.initial)]),
    );
  }

  state(name: string): Float64Array {
    return this.#state.get(name)!;
  }

  async loss(at: ArrayLike<number>): Promise<number> {
    this.passes.loss++;
    return this.#fn.loss(at);
  }

  async gradient(at: ArrayLike<number>): Promise<LossAndGradient> {
    this.passes.gradient++;
    return { loss: this.#fn.loss(at), gradient: Float64Array.from(this.#fn.gradient(at)) };
  }

  async hessian(
    at: ArrayLike<number>,
    { begin, end }: Range = { begin: 0, end: at.length },
  ): Promise<Float64Array> {
    this.passes.hessian++;
    const rows = this.#fn.hessian(at).slice(begin, end);
    return Float64Array.from(rows.flatMap((row, index) => row.slice(begin, begin + index + 1)));
  }

  async metric(at: ArrayLike<number>): Promise<Float64Array> {
    this.passes.metric++;
    return Float64Array.from(this.#fn.metric!(at).flatMap((row, index) => row.slice(0, index + 1)));
  }

  async solveBlocks(task: BlockTask): Promise<Float64Array> {
    const solved = new Float64Array(solvedLength(task));
    solveBlocksOf(0, 1, task, solved);
    return readSolved(solved).steps;
  }

  /** For functions whose Hessian is their Gauss-Newton matrix. */
  gaussNewtonVectorProduct(at: ArrayLike<number>, vector: ArrayLike<number>): Promise<Float64Array> {
    return this.hessianVectorProduct(at, vector);
  }

  kroneckerFactors(): Promise<Float64Array> {
    throw new Error('a plain function has no layers');
  }

  async hessianVectorProduct(at: ArrayLike<number>, vector: ArrayLike<number>): Promise<Float64Array> {
    this.passes.hessianVector++;
    const rows = this.#fn.hessian(at);
    return Float64Array.from(rows, (row) => row.reduce((sum, value, k) => sum + value * vector[k], 0));
  }
}
