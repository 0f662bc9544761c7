import type { CheckpointManifest, CheckpointStore } from '@tributary/coordinator/Coordinator.ts';
import { readRange } from '@tributary/coordinator/checkpoints/readRange.ts';
import { decodeHeader, type Header } from '@tributary/core/checkpoint-format/header.ts';
import { byteOffset, sectionNames } from '@tributary/core/checkpoint-format/sections.ts';
import { slowest, stalenessBound } from '@tributary/core/consistency/clocks.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { ShardState } from '../shard/Shard.ts';

/**
 * Reads one range out of a checkpoint, however the shards were cut that wrote it. Optimizer slots that it lacks (the initial checkpoint has
 * parameters only) begin as the optimizer says. The vectors come from `allocate`. Throws DATA_LOSS for a damaged chunk, FAILED_PRECONDITION if it is of another layout.
 */
export async function restoreShard(
  store: CheckpointStore,
  manifest: CheckpointManifest,
  spec: JobSpec,
  range: Range,
  allocate: (length: number) => Float32Array = (length) => new Float32Array(length),
): Promise<ShardState> {
  const headerChunk = manifest.chunks[0];
  const header = decodeHeader(await readRange(store, manifest, 0, headerChunk.bytes), manifest.bytes);
  const optimizer = createOptimizer(spec.optimizer);
  const length = range.end - range.begin;
  const readSection = async (begin: number): Promise<Float32Array> => {
    const offset = byteOffset(header.headerBytes + begin, spec.layout, 0, range.begin);
    const values = allocate(length);
    const bytes = await readRange(store, manifest, offset, length * 4);
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes);
    return values;
  };

  const sections = sectionNames(spec.layout, optimizer.slots).map((names) =>
    sectionBegin(header, names, spec),
  );
  if (sections[0] === undefined) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `checkpoint ${manifest.id} does not hold the parameters of job "${spec.name}"`,
    );
  }
  const parameters = await readSection(sections[0]);
  const slots: Float32Array[] = [];
  for (const [index, slot] of optimizer.slots.entries()) {
    const begin = sections[index + 1];
    const fresh = () => allocate(length).fill(optimizer.initialSlotValue(slot));
    slots.push(begin === undefined ? fresh() : await readSection(begin));
  }
  return { parameters, slots, ...restoreProgress(manifest, spec, range) };
}

/** Where a section begins in the data, in bytes; undefined unless all its tensors are there, in our order. */
function sectionBegin(header: Header, names: readonly string[], spec: JobSpec): number | undefined {
  const first = header.tensors.findIndex(({ name }) => name === names[0]);
  if (first < 0) return undefined;
  const matches = names.every((name, index) => {
    const stored = header.tensors[first + index];
    return (
      stored?.name === name &&
      stored.dtype === 'F32' &&
      stored.end - stored.begin === spec.layout.tensors[index].length * 4
    );
  });
  return matches ? header.tensors[first].begin : undefined;
}

/**
 * How far the range is. In the synchronous mode all shards were equally far. Otherwise a range that several shards wrote is as far as the one
 * that is furthest behind: a rank then gives some gradients again to a part that had them, which such a mode allows.
 */
function restoreProgress(
  manifest: CheckpointManifest,
  spec: JobSpec,
  range: Range,
): { updates: number; clocks: number[] } {
  const writers = manifest.shards.filter((shard) => shard.begin < range.end && range.begin < shard.end);
  if (writers.length === 0 || writers.some(({ clocks }) => clocks.length !== spec.ranks)) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `checkpoint ${manifest.id} does not say how far the ${spec.ranks} ranks are`,
    );
  }
  const updates = slowest(writers.map((shard) => shard.updates));
  if (stalenessBound(spec.staleness) === 0)
    return { updates, clocks: new Array<number>(spec.ranks).fill(manifest.step) };
  const clocks = Array.from({ length: spec.ranks }, (_, rank) =>
    slowest(writers.map((shard) => shard.clocks[rank])),
  );
  return { updates, clocks };
}
