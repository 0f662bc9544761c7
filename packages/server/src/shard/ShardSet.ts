import type { PushOutcome } from '@tributary/core/consistency/clocks.ts';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { ShardCheckpoints } from '../checkpoint/ShardCheckpoints.ts';
import type { Rejection } from './findBroken.ts';
import type { Shard } from './Shard.ts';

/** One shard of this server and the writer of its checkpoints. */
export interface HeldShard {
  readonly shard: Shard;
  readonly checkpoints: ShardCheckpoints;
}

/** Whom a request means. */
export interface ShardTarget {
  readonly jobHash: string;
  readonly generation: number;
  readonly shard: number;
}

export interface ShardSetOptions {
  readonly jobHash: string;
  readonly generation: number;
  readonly spec: JobSpec;
  /** Called once, when too many gradients were rejected. */
  onFailed(reason: string): void;
}

/** What this server holds of one generation of a job: its shards, what became of the pushes to them, and whether the job failed here. */
export class ShardSet {
  readonly jobHash: string;
  readonly generation: number;
  readonly outcomes: Record<PushOutcome, number> = {
    applied: 0,
    waiting: 0,
    duplicate: 0,
    fenced: 0,
    stale: 0,
    rejected: 0,
  };
  readonly #options: ShardSetOptions;
  readonly #held = new Map<number, HeldShard>();
  #rejected = 0;
  #failure = '';

  constructor(options: ShardSetOptions) {
    this.#options = options;
    this.jobHash = options.jobHash;
    this.generation = options.generation;
  }

  /** Gradients that were not finite. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Why the job failed here, or ''. */
  get failure(): string {
    return this.#failure;
  }

  get shards(): ReadonlyMap<number, HeldShard> {
    return this.#held;
  }

  add(index: number, held: HeldShard): void {
    invariant(!this.#held.has(index), `shard ${index} is held once`);
    this.#held.set(index, held);
  }

  /** The shard that a request means. Throws what the contract says if it means another job, generation or shard, or none. */
  find(target: ShardTarget | null): HeldShard {
    if (target === null) throw new TributaryError('INVALID_ARGUMENT', 'the request has no target');
    const { jobHash, generation, shard } = target;
    this.checkJob(jobHash);
    if (generation > this.generation) {
      throw new TributaryError(
        'UNAVAILABLE',
        `generation ${generation} is not loaded yet; ${this.generation} is`,
      );
    }
    if (generation < this.generation) {
      throw new TributaryError(
        'FAILED_PRECONDITION',
        `generation ${generation} is over; this is generation ${this.generation}`,
        {
          hint: 'Read the placement again.',
        },
      );
    }
    const held = this.#held.get(shard);
    if (held === undefined) {
      const here = [...this.#held.keys()].join(', ') || 'none';
      throw new TributaryError('NOT_FOUND', `shard ${shard} is not here; this server holds ${here}`);
    }
    return held;
  }

  checkJob(jobHash: string): void {
    if (jobHash === this.jobHash) return;
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `this server works for job ${this.jobHash}, not for ${jobHash || '(no hash)'}`,
      {
        hint: 'Another job, or another version of its settings, is running here.',
      },
    );
  }

  /** Counts a gradient that was not finite; at the limit the job fails, and every call is refused from then on. */
  reject({ reason }: Rejection): void {
    this.#rejected++;
    if (this.#rejected < this.#options.spec.rejectedMax || this.#failure !== '') return;
    this.#failure = `${this.#rejected} gradients were rejected, the last because ${reason}`;
    this.close(new TributaryError('FAILED_PRECONDITION', `the job failed: ${this.#failure}`));
    this.#options.onFailed(this.#failure);
  }

  close(reason: TributaryError): void {
    for (const { shard } of this.#held.values()) shard.close(reason);
  }
}
