import { createHash } from 'node:crypto';
import { callWithRetries } from '@tributary/client/callWithRetries.ts';
import type { CheckpointChunk, CheckpointStore } from '@tributary/coordinator/Coordinator.ts';
import { checkpointId } from '@tributary/core/checkpoint-format/checkpointId.ts';
import { planCheckpoint } from '@tributary/core/checkpoint-format/plan.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { rangeInSlot } from '@tributary/core/layout/slotLayout.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import type { Snapshot } from '../shard/Shard.ts';
import { Waiters } from '../shard/Waiters.ts';

/** What a shard wrote of one checkpoint, or why it did not. */
export interface CheckpointPart {
  readonly chunks: readonly CheckpointChunk[];
  readonly numbers: readonly number[];
  readonly updates: number;
  readonly clocks: readonly number[];
  /** Empty if all went well. */
  readonly error: string;
}

export interface ShardCheckpointsOptions {
  readonly store: CheckpointStore;
  readonly spec: JobSpec;
  readonly generation: number;
  /** Of all shards, in order. */
  readonly ranges: readonly Range[];
  readonly shard: number;
  /** Where the shard began; nothing will be written for this step or any before. */
  readonly startStep: number;
  readonly trace?: Trace | undefined;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

/**
 * Writes a shard's part of each checkpoint while training goes on. One snapshot is being written at a time. One that comes meanwhile is passed over,
 * which its part says, so that slow storage costs checkpoints and neither memory nor steps. Only that of the last step waits its turn: nothing is
 * trained any more, and without it there would be no result.
 */
export class ShardCheckpoints {
  readonly #options: ShardCheckpointsOptions;
  /** By step, oldest first. */
  readonly #parts = new Map<number, CheckpointPart | 'writing'>();
  readonly #waiters = new Waiters();
  readonly #closed = new AbortController();
  #writing: Promise<void> | undefined;
  #newestStep: number;

  constructor(options: ShardCheckpointsOptions) {
    this.#options = options;
    this.#newestStep = options.startStep;
  }

  /** Takes over the snapshot. `last`: the job ends with it. */
  write(snapshot: Snapshot, last: boolean): void {
    const { step } = snapshot;
    this.#newestStep = step;
    if (this.#writing !== undefined && !last) {
      snapshot.release();
      this.#settle(
        step,
        unwritten(`step ${step} was reached while an earlier checkpoint was still being written`),
      );
      return;
    }
    this.#parts.set(step, 'writing');
    const turn = this.#writing ?? Promise.resolve();
    const writing = turn
      .then(() => this.#write(snapshot))
      .finally(() => {
        snapshot.release();
        if (this.#writing === writing) this.#writing = undefined;
      });
    this.#writing = writing;
  }

  /** The part of `step` once it is settled; undefined if that takes longer than `waitMs`, or the shard is not there yet. */
  part(step: number, waitMs: number, signal: AbortSignal): Promise<CheckpointPart | undefined> {
    const look = (): CheckpointPart | undefined => {
      const part = this.#parts.get(step);
      if (part === 'writing') return undefined;
      if (part === undefined && step <= this.#newestStep)
        return unwritten(`there is no checkpoint of step ${step}`);
      return part;
    };
    return this.#waiters.wait(look, waitMs, signal);
  }

  /** Stops writing: of a generation that is over nobody will ask for it. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#writing;
  }

  async #write({ step, state }: Snapshot): Promise<void> {
    const { spec, ranges, shard, store, generation } = this.#options;
    const slots = createOptimizer(spec.optimizer).slotLayouts(spec.layout);
    const { numbers, updates, clocks } = state;
    const end = this.#options.trace?.begin('checkpoint', 'checkpoint', { step });
    const chunks: CheckpointChunk[] = [];
    try {
      for (const plan of planCheckpoint(spec.layout, slots, ranges, limits.checkpointChunkBytes)) {
        if (plan.shard !== shard) continue;
        const section = plan.section === 0 ? state.parameters : state.slots[plan.section - 1];
        const sectionLayout = plan.section === 0 ? spec.layout : slots[plan.section - 1].layout;
        const { begin } = rangeInSlot(spec.layout, sectionLayout, ranges[shard]);
        const values = section.subarray(plan.begin - begin, plan.end - begin);
        const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        const put = () => store.putChunk(checkpointId(generation, step), plan.index, bytes);
        await callWithRetries(put, { totalMs: limits.retryTotalMs, signal: this.#closed.signal });
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        chunks.push({ index: plan.index, offset: plan.offset, bytes: bytes.length, sha256 });
      }
      end?.();
      this.#settle(step, { chunks, numbers, updates, clocks, error: '' });
    } catch (cause) {
      const error = cause instanceof TributaryError ? cause.line : String(cause);
      if (!this.#closed.signal.aborted) {
        this.#options.log(
          'error',
          `shard ${shard}: the checkpoint of step ${step} could not be written: ${error}`,
        );
      }
      this.#settle(step, unwritten(error));
    }
  }

  #settle(step: number, part: CheckpointPart): void {
    this.#parts.set(step, part);
    for (const old of this.#parts.keys())
      if (this.#parts.size > limits.checkpointPartsKept) this.#parts.delete(old);
    this.#waiters.wake();
  }
}

function unwritten(error: string): CheckpointPart {
  return { chunks: [], numbers: [], updates: 0, clocks: [], error };
}
