import { createHash } from 'node:crypto';
import type { CheckpointPart } from '@tributary/client/ParameterClient.ts';
import type {
  CheckpointChunk,
  CheckpointManifest,
  CheckpointShard,
  Coordinator,
  Lease,
} from '@tributary/coordinator/Coordinator.ts';
import { checkpointId } from '@tributary/core/checkpoint-format/checkpointId.ts';
import { encodeHeader } from '@tributary/core/checkpoint-format/header.ts';
import { planCheckpoint } from '@tributary/core/checkpoint-format/plan.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { SlotLayout } from '@tributary/core/layout/slotLayout.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import type { Range } from '@tributary/core/partition/partition.ts';

/** The controller's half of a checkpoint: the header chunk, the manifest, and the chunks of the very first one. The servers write the rest. */
export class CheckpointWriter {
  readonly #coordinator: Coordinator;
  readonly #spec: JobSpec;
  readonly #hash: string;
  readonly #fence: Lease;

  constructor(coordinator: Coordinator, spec: JobSpec, hash: string, fence: Lease) {
    this.#coordinator = coordinator;
    this.#spec = spec;
    this.#hash = hash;
    this.#fence = fence;
  }

  /** Saves the parameters with which the job starts. Optimizer slots are left out: a shard begins them itself. */
  async writeInitial(parameters: Float32Array, now: number): Promise<CheckpointManifest> {
    const whole: Range = { begin: 0, end: this.#spec.layout.length };
    const id = checkpointId(0, 0);
    const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
    const chunks: CheckpointChunk[] = [];
    for (const plan of planCheckpoint(this.#spec.layout, [], [whole], limits.checkpointChunkBytes)) {
      if (plan.index === 0) continue;
      chunks.push(await this.#put(id, plan.index, plan.offset, bytes.subarray(plan.begin * 4, plan.end * 4)));
    }
    const clocks = new Array<number>(this.#spec.ranks).fill(0);
    return this.#commit(id, 0, [], chunks, [{ ...whole, updates: 0, clocks }], now);
  }

  /** Commits what the servers wrote for `step`: one part per shard, in order. */
  async commitParts(
    id: string,
    step: number,
    ranges: readonly Range[],
    parts: readonly CheckpointPart[],
    now: number,
  ) {
    const slots = createOptimizer(this.#spec.optimizer).slotLayouts(this.#spec.layout);
    const shards = ranges.map((range, index) => ({
      begin: range.begin,
      end: range.end,
      updates: parts[index].updates,
      clocks: parts[index].clocks,
      numbers: parts[index].numbers,
    }));
    const chunks = parts.flatMap((part) => part.chunks);
    return this.#commit(id, step, slots, chunks, shards, now);
  }

  async #commit(
    id: string,
    step: number,
    slots: readonly SlotLayout[],
    chunks: readonly CheckpointChunk[],
    shards: readonly CheckpointShard[],
    now: number,
  ): Promise<CheckpointManifest> {
    const header = encodeHeader(this.#spec.layout, slots, {
      format: 'tributary',
      job: this.#spec.name,
      jobHash: this.#hash,
      step: String(step),
      optimizer: this.#spec.optimizer.name,
    });
    const first = await this.#put(id, 0, 0, header);
    const all = [first, ...chunks].sort((a, b) => a.offset - b.offset);
    const bytes = all.reduce((sum, chunk) => sum + chunk.bytes, 0);
    const manifest = { id, jobHash: this.#hash, step, createdAtMs: now, bytes, chunks: all, shards };
    const outcome = await this.#coordinator.checkpoints.commit(manifest, this.#fence);
    if (outcome === 'written') return manifest;
    throw outcome === 'fenced'
      ? new TributaryError('ABORTED', 'another controller has taken over this job')
      : new TributaryError('DATA_LOSS', `checkpoint ${id} misses a chunk of its ${all.length}`);
  }

  async #put(id: string, index: number, offset: number, bytes: Uint8Array): Promise<CheckpointChunk> {
    await this.#coordinator.checkpoints.putChunk(id, index, bytes);
    return { index, offset, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
}
