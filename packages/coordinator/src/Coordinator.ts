import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { Range } from '@tributary/core/partition/partition.ts';

/**
 * What a cluster agrees on about one job, and how. Two backends (redis/, sqlite/) keep this contract; one law suite
 * (test/laws/coordinator.laws.ts) holds both to it. Every method is one atomic change or one consistent read.
 *
 * A method throws TributaryError('UNAVAILABLE') while the store cannot be reached; the caller goes on with what it knows and asks again.
 */
export interface Coordinator {
  /** Where the state is kept, as given on the command line: `redis://…` or `sqlite:PATH`. Never shows a password. */
  readonly url: string;
  /** The job whose state this is. */
  readonly job: string;

  /** Announces a process, or renews it, for `ttlMs` from now. */
  join(member: Member, ttlMs: number): Promise<void>;
  leave(memberId: string): Promise<void>;
  /** Members whose time has not run out, ordered by id. */
  members(): Promise<Member[]>;

  /**
   * Takes the lease `name` if it is free, has run out, or is held by `holder` already. Each taking gives a greater fencing token than any before, except
   * that a holder whose lease has not run out keeps its token.
   */
  acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  /**
   * Prolongs a lease. Also one that has run out, as long as nobody took it since: then nobody else can have acted in its name.
   * Returns `lost` once another holder has it or it was released.
   */
  renewLease(lease: Lease, ttlMs: number): Promise<'renewed' | 'lost'>;
  /** Gives a lease back at once. Giving back a lost lease does nothing. */
  releaseLease(lease: Lease): Promise<void>;
  /** The current leases by name, run out or not; for display and for the controller. */
  leases(): Promise<LeaseView[]>;

  /** The newest placement, or undefined before the first. */
  placement(): Promise<Placement | undefined>;
  /**
   * Replaces the placement if its epoch is still `expectedEpoch` (0: none yet) and `fence` is still held; the written epoch must be `expectedEpoch + 1`.
   */
  replacePlacement(placement: Placement, expectedEpoch: number, fence: Lease): Promise<WriteOutcome>;

  /** Creates the job's record; `exists` if there is one already. */
  createJob(record: JobRecord): Promise<'created' | 'exists'>;
  jobRecord(): Promise<JobRecord | undefined>;
  /** Changes state, endStep, or the error of a job, if `fence` is still held. */
  updateJob(change: JobChange, fence: Lease): Promise<WriteOutcome>;
  /** Replaces the whole record (a job started anew under the same name, or resumed), if `fence` is still held. */
  replaceJob(record: JobRecord, fence: Lease): Promise<WriteOutcome>;

  /**
   * Appends to the job's metrics stream, in order. With `batch`, entries sent again because the reply was lost are appended once.
   * The stream keeps about the newest limits.metricsKeptMax entries.
   */
  appendMetrics(entries: readonly MetricEntry[], batch?: MetricBatch): Promise<void>;
  /** Entries after the cursor (exclusive; '' from the start), oldest first, at most `limit`; the cursor is where the next reading goes on. */
  readMetrics(after: string, limit: number): Promise<{ entries: MetricEntry[]; cursor: string }>;

  readonly checkpoints: CheckpointStore;

  close(): Promise<void>;
}

export interface Member {
  /** Unique among all processes that ever were: role, host, pid and random digits. */
  readonly id: string;
  readonly role: 'controller' | 'server' | 'worker';
  /** Advertised address (host:port or unix:PATH) of a server; empty for the others. */
  readonly address: string;
  /** Wall clock when it started, ms since 1970. Display only. */
  readonly startedAtMs: number;
}

/** The right to act under a name, for some time. Any later holder has a greater token. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  readonly token: number;
}

export interface LeaseView extends Lease {
  /** Negative once it has run out. */
  readonly remainingMs: number;
}

/**
 * `conflict`: someone else wrote in between, or there is nothing to change. `fenced`: the lease is no longer held, which is told first.
 * As in `renewLease`, a lease that merely ran out counts as held until somebody takes it.
 */
export type WriteOutcome = 'written' | 'conflict' | 'fenced';

/** Who has what. Written by the controller alone. */
export interface Placement {
  /** Grows by one with each change. */
  readonly epoch: number;
  /** Grows by one each time the shards are (re)loaded from a checkpoint; messages of another generation are refused. */
  readonly generation: number;
  /** The checkpoint from which this generation began. */
  readonly checkpoint: string;
  /** In order, covering the flat vector. */
  readonly shards: readonly ShardPlacement[];
  /** By rank: the id of the worker that is to hold it, or '' for none yet. */
  readonly ranks: readonly string[];
}

export interface ShardPlacement extends Range {
  readonly server: string;
  readonly address: string;
}

export type JobState = 'running' | 'finished' | 'stopped' | 'failed';

export interface JobRecord {
  readonly spec: JobSpec;
  /** jobHash(spec). */
  readonly hash: string;
  readonly state: JobState;
  /** Every rank stops at this step: spec.steps, or less once the job is being stopped. */
  readonly endStep: number;
  /** Why it failed, as one line; '' otherwise. */
  readonly error: string;
  readonly createdAtMs: number;
}

export interface JobChange {
  readonly state?: JobState;
  readonly endStep?: number;
  readonly error?: string;
}

/** What tells a batch from the one before, so that none is appended twice: `sequence` grows with each new batch of a `writer`. */
export interface MetricBatch {
  /** Unique among all that ever wrote to the job's stream; '' is nobody. */
  readonly writer: string;
  readonly sequence: number;
}

/** One line of the metrics stream; also one line of the run folder's metrics.jsonl. Times are ms since 1970. */
export type MetricEntry =
  /** A step closed: `loss` is the mean over its examples; in the asynchronous modes, of one rank's push. */
  | { kind: 'step'; step: number; loss: number; examples: number; timeMs: number; staleness: number }
  /** `tookMs`: how long training waited for it. */
  | {
      kind: 'evaluation';
      step: number;
      loss: number;
      accuracy: number | null;
      tookMs: number;
      timeMs: number;
    }
  | {
      kind: 'rejected';
      rank: number;
      step: number;
      tensor: string;
      reason: string;
      total: number;
      timeMs: number;
    }
  /** A worker begins: what carries its gradients, which backend computes them, and why not the other if that was to be expected; '' if it was not. */
  | { kind: 'compute'; worker: string; backend: string; note: string; transport: string; timeMs: number }
  /**
   * What a process has used since it began, told now and then and at its end; the numbers only grow. Servers tell their memory alone, and 0 for the rest.
   */
  | {
      kind: 'usage';
      member: string;
      /** Steps that the worker is done with. */
      step: number;
      /** Examples whose loss, gradient or product was computed for training, each as often as that was done. */
      examples: number;
      /** Payloads of gradients and sums sent, and of parameters and sums received, also those sent again. */
      pushedBytes: number;
      pulledBytes: number;
      /** The greatest resident memory that was seen. */
      memoryBytes: number;
      timeMs: number;
    }
  /**
   * How much the gradients behind an update differ, which was made at the end of this step: the mean over ranks and steps of the squared norm of a rank's mean gradient (`small`),
   * of so many examples each, and the squared norm of the mean gradient of all of them (`big`). The next update takes `nextSteps` steps.
   */
  | {
      kind: 'noise';
      step: number;
      small: number;
      big: number;
      smallExamples: number;
      bigExamples: number;
      nextSteps: number;
      timeMs: number;
    }
  /** How near QAOA came to the optimum in the `blocks` that this step solved: the mean of their approximation ratios, and how many optima it measured. */
  | { kind: 'qaoa'; step: number; blocks: number; ratio: number; optima: number; timeMs: number }
  | { kind: 'event'; level: 'info' | 'warning' | 'error'; source: string; message: string; timeMs: number };

/**
 * Checkpoints of one job. A checkpoint is a safetensors file cut into chunks; it exists from the moment its manifest is committed, which comes last.
 */
export interface CheckpointStore {
  /** Stores one chunk of a checkpoint in the making. Writing the same (id, index) again replaces it. */
  putChunk(id: string, index: number, bytes: Uint8Array): Promise<void>;
  getChunk(id: string, index: number): Promise<Uint8Array | undefined>;
  /**
   * Commits: from here on the checkpoint is listed. `conflict` if a chunk it names is missing or its id is taken; `fenced` if the lease is no longer held.
   */
  commit(manifest: CheckpointManifest, fence: Lease): Promise<WriteOutcome>;
  /** Committed manifests, newest (greatest step, then latest) first. */
  list(): Promise<CheckpointManifest[]>;
  /** Removes all but the newest `keep` committed checkpoints, and chunks of uncommitted ones other than `inProgress`. */
  retain(keep: number, inProgress: readonly string[]): Promise<void>;
}

export interface CheckpointManifest {
  readonly id: string;
  readonly jobHash: string;
  /** Steps that every rank has completed. */
  readonly step: number;
  readonly createdAtMs: number;
  /** Bytes of the whole safetensors file: the chunks, end to end. */
  readonly bytes: number;
  readonly chunks: readonly CheckpointChunk[];
  /** What each shard knew, so that a run in an asynchronous mode resumes where each rank was. In order of range. */
  readonly shards: readonly CheckpointShard[];
}

export interface CheckpointChunk {
  readonly index: number;
  readonly offset: number;
  readonly bytes: number;
  /** SHA-256 of the chunk, hex. */
  readonly sha256: string;
}

export interface CheckpointShard extends Range {
  /** Updates applied so far (the t of Adam's bias correction). */
  readonly updates: number;
  /** Steps done, by rank. */
  readonly clocks: readonly number[];
  /** What the optimizer and the schedule remember beside vectors; of a synchronous job the same for all shards. */
  readonly numbers?: readonly number[];
}
