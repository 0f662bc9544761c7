import type { Layout } from '../layout/Layout.ts';
import type { TensorOptions } from '../layout/segments.ts';
import type { Range } from '../partition/partition.ts';

/** A method by name, with its numbers: what the optimizer table and the schedule table take. */
export interface OptimizerSpec {
  readonly name: string;
  readonly hyperparameters: Readonly<Record<string, number | boolean | string>>;
  /** Of servers' optimizers: an average of the parameters is kept, of which this part of its old value stays in every update. */
  readonly averageKeep?: number;
  /** Of servers' optimizers: the gradients of several steps are summed in a slot before they make an update. */
  readonly accumulates?: true;
}

/**
 * How parameters travel to those who compute gradients: as they are, each rounded by itself, or (`delta`) as the change since the version that the reader has.
 */
export type PullEncoding = 'f32' | 'bf16' | 'f16' | 'delta';

export interface ScheduleSpec {
  readonly name: string;
  readonly options: Readonly<Record<string, number>>;
}

export interface ClippingSpec {
  /** Every element of the gradient is held within [-value, value]. */
  readonly value?: number;
  /** The gradient is scaled down where its Euclidean norm exceeds this. */
  readonly norm?: number;
}

/** How many steps' gradients make one update, by the gradient noise scale: see core/optimizer/adaptiveBatch.ts. */
export interface AdaptiveBatchSpec {
  readonly stepsMax: number;
  readonly memory: number;
  readonly rate: 'constant' | 'sqrt' | 'linear';
}

/** An encoding of the wire by name, with its numbers: what the table of codecs takes. */
export interface CodecSpec {
  readonly name: string;
  readonly options?: Readonly<Record<string, number>>;
}

/** A run of the flat vector in one encoding. */
export interface EncodedRun extends Range {
  readonly codec: CodecSpec;
}

export type LastBatch = 'dropped' | 'short' | 'padded';

/**
 * All that the processes of a job must agree on; it is stored with the coordinator and its hash travels with every message.
 * It holds no code: a server needs nothing else.
 */
export interface JobSpec {
  readonly name: string;
  /** Values of the options that the job file leaves open, for those who load it. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
  readonly seed: number;
  /** V, the number of logical data-parallel replicas. */
  readonly ranks: number;
  /** `shuffled`: minibatches without replacement, a new order every epoch. `full`: the ranks together cover the data at every step. */
  readonly sampling: 'shuffled' | 'full';
  /**
   * What becomes of the examples that an epoch of `shuffled` ends with, too few for a whole step: left out, or a step of shorter batches, which come as they are or
   * padded to whole ones with a field `weight` that is 0 for what is padded.
   */
  readonly lastBatch: LastBatch;
  /** Examples in the minibatch of one rank at one step; with `full`, the most that a rank has. */
  readonly batchSize: number;
  /** The parts in which a rank computes its minibatch, one after the other; 1 if not given. */
  readonly microBatches?: number;
  readonly adaptiveBatch?: AdaptiveBatchSpec;
  /** Examples of the training data: every worker must find as many, or it holds other data. */
  readonly trainSize: number;
  /** Steps of every rank; the job ends when every rank has done them. */
  readonly steps: number;
  /** A method of the workers ends the job once it has made this many passes over the data; a whole step may go beyond. */
  readonly passesMax?: number;
  /** Steps that make one pass over the data. For display and for evaluation; a positive number. */
  readonly stepsPerEpoch: number;
  /** 0 is bulk-synchronous, s > 0 stale-synchronous; null is Infinity (JSON has none): asynchronous. */
  readonly staleness: number | null;
  /** Not synchronous: the learning rate of a gradient that is k > 1 updates late is divided by k. Zhang et al., "Staleness-aware Async-SGD", 2016. */
  readonly learningRateByStaleness?: boolean;
  /** Not synchronous: lambda of a gradient's correction for the updates that came meanwhile. Zheng et al., "Asynchronous SGD with Delay Compensation", 2017. */
  readonly delayCompensation?: number;
  /** Not synchronous: workers pull the parameters of their next gradient while they compute, and do not wait for their pushes. */
  readonly pullAhead?: boolean;
  readonly optimizer: OptimizerSpec;
  /**
   * Computes whole steps in the workers. Then the optimizer is `assign`, the layout has the method's state behind the model's parameters, and a push
   * brings, from rank 0 alone, what all of these become; the other ranks skip.
   */
  readonly method?: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  readonly clipping: ClippingSpec;
  readonly layout: Layout;
  /** Of the tensors that are frozen, or trained otherwise than the rest; in the order of the layout. */
  readonly tensors?: readonly TensorOptions[];
  /** How gradients are encoded on their way to the servers, in order, covering the flat vector; float32 if not given. */
  readonly encoding?: readonly EncodedRun[];
  /** How parameters travel to those who compute gradients; float32 if not given. */
  readonly pullEncoding?: { readonly name: PullEncoding };
  /** A checkpoint is taken each time every rank has done this many further steps; 0 means at the end only. */
  readonly checkpointEverySteps: number;
  readonly checkpointsKept: number;
  /** Evaluation on the held-out data each this many steps, by the worker that holds rank 0; 0 means never. */
  readonly evaluateEverySteps: number;
  /** How much gradients differ from rank to rank is measured; in the metrics. */
  readonly measureNoise?: boolean;
  /** Rejected gradients (NaN, Inf) after which the job stops with an error. */
  readonly rejectedMax: number;
}
