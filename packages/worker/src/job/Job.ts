import type { numpy as np } from '@jax-js/jax';
import type {
  ClippingSpec,
  LastBatch,
  OptimizerSpec,
  PullEncoding,
  ScheduleSpec,
} from '@tributary/core/job/JobSpec.ts';
import type { TransferRules } from '@tributary/core/transfer/transferParameters.ts';
import type { DataSource } from '../data/Dataset.ts';
import type { GradientEncoding } from './encodings.ts';
import type { Model, ParameterTree } from './Model.ts';
import type { TensorRule } from './tensorOptions.ts';

/** What a job file says. Fields left out take the default named with them. */
export interface JobDefinition<
  Parameters extends ParameterTree = ParameterTree,
  Name extends string = string,
> {
  /** Words in small letters joined by hyphens. Default: the name of the file, or of its folder if the file is `job.ts`. */
  name?: string;
  /** The parameters at the start and the loss; see {@link Model}. `batch` has one array per field of the training data. */
  model: Model<Parameters, Readonly<Record<Name, np.Array>>>;
  data: {
    train: DataSource<Name>;
    /** Held-out examples for evaluation: the same fields. */
    test?: DataSource<NoInfer<Name>>;
  };
  /** Which method applies the gradients: `adam({ learningRate: 1e-3 })`, or its name and hyperparameters. */
  optimizer: OptimizerSpec;
  /** How the learning rate changes from step to step. Default: `constant()`. */
  schedule?: ScheduleSpec;
  /** Bounds on the gradient, by element (`value`) or by Euclidean norm (`norm`). Default: none. */
  clipping?: ClippingSpec;
  /**
   * An exponential moving average of the parameters is kept, of which this part stays in every update, from 0 to below 1: 0.999, say. It is what is evaluated, exported
   * and started from. Default: none.
   */
  averaging?: number;
  /** Tensors, chosen by name, that are frozen, or trained otherwise than the rest. Later rules overrule earlier ones. Default: none. */
  tensors?: readonly TensorRule[];
  /**
   * How gradients travel to the servers: `'f32'` (default), or in fewer bytes and rounded: `'bf16'`, `'f16'`, `'int8'`, `topk({ density })`, `'sign'`; by tensor too:
   * `{ 'embedding*': 'int8', '*': 'bf16' }`. What rounding takes from a rank's gradient is added to its next one.
   */
  encoding?: GradientEncoding;
  /**
   * How parameters travel to the workers: `'f32'` (default), rounded to `'bf16'` or `'f16'`, or, in the synchronous mode, as `'delta'`: the change since the step before, a byte for
   * each, what that rounds off being in the next change. The servers keep them in float32.
   */
  pullEncoding?: PullEncoding;
  /** Passes over the training data. Give either this or `steps`. */
  epochs?: number;
  /** Steps of every rank. Give either this or `epochs`. */
  steps?: number;
  /**
   * Passes over the training data after which the job ends even if `epochs` or `steps` say more. For first-order methods that is as many epochs; methods that
   * compute whole steps make several passes in one, and end with the step that comes to so many. Default: no bound.
   */
  passesMax?: number;
  /**
   * `shuffled` (default): minibatches without replacement, a new order every epoch. `full`: every step sees all of the data, shared out
   * over the ranks: gradient descent in the strict sense.
   */
  sampling?: 'shuffled' | 'full';
  /** Examples in the minibatch of one rank: a step of the job sees ranks x batchSize. Not given with `sampling: 'full'`. */
  batchSize?: number;
  /** A rank computes its minibatch in this many parts, one after the other: for batches that do not fit into memory at once. Default: 1. */
  accumulate?: number;
  /**
   * Grows the batch with the gradient noise scale (McCandlish et al., 2018): up to `stepsMax` (default 16) steps' gradients make one update. `memory` (default 0.95) is what the
   * estimate of the noise keeps of its old value at an update; `rate` says how the learning rate goes with the number of steps: `'constant'` (default), `'sqrt'` or `'linear'`.
   * Epochs, schedules and whatever else counts steps stay as they are. Default: every step is an update.
   */
  adaptiveBatch?: { stepsMax?: number; memory?: number; rate?: 'constant' | 'sqrt' | 'linear' };
  /**
   * What becomes of the examples at the end of an epoch that are too few for a step. `dropped` (default): they wait for another epoch. `short`: the ranks share them
   * out, and batches are shorter. `padded`: so too, but batches are made up to `batchSize`, and every batch has a field `weight`, 1 for true examples and 0 for
   * others, by which the loss must take its mean.
   */
  lastBatch?: LastBatch;
  /**
   * Trained parameters to start from, and how the model's tensors find theirs there. `from` is a safetensors or ONNX file, a run folder, or a job as
   * `redis://HOST:PORT#JOB`; left out, it may be given by `--start-from`, and the model begins as `init` makes it otherwise. Default: none.
   */
  start?: TransferRules & { readonly from?: string | undefined };
  /** Of the parameters at the start and of the order of the examples; a whole number below 2^32. Default: 1. */
  seed?: number;
  /** Logical data-parallel replicas, shared out over however many workers there are. Default: 8. */
  ranks?: number;
  /** Steps that a rank may be ahead of the slowest: 0 (default) is synchronous, `Infinity` asynchronous. */
  staleness?: number;
  /** Not synchronous: the learning rate of a gradient that is k > 1 updates late is divided by k (Zhang et al., 2016). Default: false. */
  learningRateByStaleness?: boolean;
  /** Not synchronous: how much a late gradient is corrected for the updates that came meanwhile (lambda of DC-ASGD: Zheng et al., 2017, who take 0.04). Default: not at all. */
  delayCompensation?: number;
  /**
   * Not synchronous: a worker pulls the parameters of its next gradient while it computes, so that it never waits for the network; they are older by the updates
   * that come in the meantime. Default: false.
   */
  pullAhead?: boolean;
  /** 0 means at the end only. Default: once an epoch, but at most about 20 times. */
  checkpointEverySteps?: number;
  /** Default: 3. */
  checkpointsKept?: number;
  /** 0 means never. Default: once an epoch, but at most about 100 times, if there is test data. */
  evaluateEverySteps?: number;
  /** Measures how much gradients differ from rank to rank, for the gradient noise scale; it is in the metrics. Default: false. */
  measureNoise?: boolean;
  /** Rejected gradients (NaN, Inf) after which the job stops with an error. Default: 8. */
  rejectedMax?: number;
  /** `tributary train` prints the loss each so many steps. Default: only the progress line. */
  printEverySteps?: number;
}

/** A checked job: a definition with its defaults in place. Only defineJob makes one. */
export interface Job extends Readonly<JobDefinition> {
  readonly schedule: ScheduleSpec;
  readonly clipping: ClippingSpec;
  readonly encoding: GradientEncoding;
  readonly pullEncoding: PullEncoding;
  readonly sampling: 'shuffled' | 'full';
  readonly lastBatch: LastBatch;
  readonly seed: number;
  readonly ranks: number;
  readonly staleness: number;
  readonly checkpointsKept: number;
  readonly rejectedMax: number;
}
