/**
 * One array of a batch: `rows` examples, each of the shape `shape`, row-major. A batch is a record of such arrays, by the names that the model's loss reads.
 */
export interface BatchArray {
  /** Including the number of examples as first dimension. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export type Batch = Readonly<Record<string, BatchArray>>;

/** What a field of every example looks like: the same for all examples of a data set. */
export interface FieldSpec {
  /** Of one example. */
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

/**
 * Examples by number. Reading any rows in any order is all that a data set must do: order, epochs and shards are the sampler's
 * (see sampler.ts), so that a rank's minibatch depends on (seed, rank, step) alone.
 */
export interface Dataset {
  readonly size: number;
  readonly fields: Readonly<Record<string, FieldSpec>>;
  /** The given examples, in the given order. Errors name the file and the place in it. */
  read(examples: Uint32Array): Promise<Batch>;
  close(): Promise<void>;
}

/** A data set not yet opened, as a job file names it: opening reads headers and indices and checks them. */
export interface DataSource {
  /** For messages: what and where, such as `csv data/houses.csv`. */
  readonly description: string;
  open(): Promise<Dataset>;
}
