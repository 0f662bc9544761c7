/**
 * One array of a batch: `rows` examples, each of the shape `shape`, row-major. A batch is a record of such arrays, by the names that the model's loss reads.
 */
export interface BatchArray {
  /** Including the number of examples as first dimension. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export type Batch<Name extends string = string> = Readonly<Record<Name, BatchArray>>;

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
export interface Dataset<Name extends string = string> {
  readonly size: number;
  readonly fields: Readonly<Record<Name, FieldSpec>>;
  /**
   * The given examples, in the given order; of these `fields` alone where it is given, but a source may give the others too. Errors name the file and the
   * place in it.
   */
  read(examples: Uint32Array, fields?: readonly string[]): Promise<Batch<Name>>;
  close(): Promise<void>;
}

/** A data set not yet opened, as a job file names it: opening reads headers and indices and checks them. */
export interface DataSource<Name extends string = string> {
  /** For messages: what and where, such as `csv data/houses.csv`. */
  readonly description: string;
  /** Relative paths start at `folder`, by default the working directory; the sources of a loaded job start at the job file's folder. */
  open(folder?: string): Promise<Dataset<Name>>;
}
