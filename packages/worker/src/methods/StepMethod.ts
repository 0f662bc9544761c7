import type { StateTensor } from '@tributary/core/layout/methodState.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { Prediction } from '../autodiff/kroneckerFactors.ts';
import type { BlockTask } from './quantum/BlockTask.ts';

/** Flat parameters: float32 on a cluster; float64 where a method is tested against theory. `slice` keeps the type, so that a point is rounded as it will be stored. */
export type Vector = Float32Array | Float64Array;

/**
 * A method that computes whole steps in the workers. Every worker runs the same code on the same sums and comes to the same bits, so that which
 * worker holds which rank does not matter, and one that takes over a rank in the middle of a step does the step again from its begin. So it may use
 * nothing but its context: no clock, no randomness, no memory between steps but `state`.
 */
export interface StepMethod {
  /** What it keeps between steps, behind the model's parameters. */
  readonly state: readonly (StateTensor & { readonly initial: number })[];
  /** Changes the context's parameters and state in place. Returns the mean loss that the step began with; if that is not finite, nothing is changed. */
  step(context: StepContext): Promise<number>;
}

/**
 * What a method works with. The quantities are means over the examples of all ranks at this step; each is one pass over these examples, and the same
 * bits in every worker. They are of the model's parameters only, and may be infinite or NaN where the model is.
 */
export interface StepContext {
  /** Of the model, at the begin of the step; to be changed in place. */
  readonly parameters: Vector;
  /** Every step sees the same examples, so that what is known of a point stays true. */
  readonly fullBatch: boolean;
  /** A state tensor, by name without the prefix; to be changed in place. */
  state(name: string): Vector;
  loss(at: Vector): Promise<number>;
  gradient(at: Vector): Promise<LossAndGradient>;
  /** Of the parameters in the range, or of all. The lower triangle, row by row: element (i, j), j <= i, at i (i + 1) / 2 + j. */
  hessian(at: Vector, range?: Range): Promise<Float64Array>;
  hessianVectorProduct(at: Vector, vector: Vector): Promise<Float64Array>;
  /** Of the generalised Gauss-Newton matrix; only for a model that says its loss in two parts. */
  gaussNewtonVectorProduct(at: Vector, vector: Vector): Promise<Float64Array>;
  /** The Kronecker factors of the Fisher matrix of every dense layer; only for a model that says its outputs. */
  kroneckerFactors(at: Vector, asked: FactorsAsked): Promise<Float64Array>;
  /** The Fubini-Study metric of the states of the model's circuit, as a triangle like the Hessian; 0 for parameters that are not the circuit's. */
  metric(at: Vector): Promise<Float64Array>;
  /** Shares out the blocks over the ranks, block b to rank b modulo their number, and gives the steps of all, in float32. No pass over the data. */
  solveBlocks(task: BlockTask): Promise<Float64Array>;
}

/** What the outputs of a model mean, and how many numbers its factors are: see autodiff/kroneckerFactors.ts. */
export interface FactorsAsked {
  readonly prediction: Prediction;
  readonly length: number;
}

export interface LossAndGradient {
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** By how much two losses of this size may differ for rounding alone: a few units in the last place of what the model computes in. */
export function lossNoise(loss: number, parameters: Vector): number {
  return Math.abs(loss) * (parameters instanceof Float32Array ? 2 ** -21 : 2 ** -50);
}
