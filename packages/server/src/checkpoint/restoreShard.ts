import type { CheckpointManifest, CheckpointStore } from '@tributary/coordinator/Coordinator.ts';
import { readRange } from '@tributary/coordinator/checkpoints/readRange.ts';
import type { Header } from '@tributary/core/checkpoint-format/header.ts';
import { type Section, sectionsOf } from '@tributary/core/checkpoint-format/sections.ts';
import { slowest, stalenessBound } from '@tributary/core/consistency/clocks.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { rangeInSlot } from '@tributary/core/layout/slotLayout.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { ShardState } from '../shard/Shard.ts';
import { readHeader } from './readHeader.ts';

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
  const header = await readHeader(store, manifest);
  const optimizer = createOptimizer(spec.optimizer);
  /** Undefined if the checkpoint does not have the section. */
  const readSection = async (section: Section): Promise<Float32Array | undefined> => {
    const found = sectionBegin(header, section);
    if (found === undefined) return undefined;
    const { begin, end } = rangeInSlot(spec.layout, section.layout, range);
    const values = allocate(end - begin);
    const bytes = await readRange(store, manifest, header.headerBytes + found + begin * 4, values.length * 4);
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes);
    return values;
  };

  const [first, ...slotSections] = sectionsOf(spec.layout, optimizer.slotLayouts(spec.layout));
  const parameters = await readSection(first);
  if (parameters === undefined) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `checkpoint ${manifest.id} does not hold the parameters of job "${spec.name}"`,
    );
  }
  const slots: Float32Array[] = [];
  for (const [index, section] of slotSections.entries()) {
    const { begin, end } = rangeInSlot(spec.layout, section.layout, range);
    const fresh = () => optimizer.beginSlot(optimizer.slots[index], allocate(end - begin), parameters);
    slots.push((await readSection(section)) ?? fresh());
  }
  return { parameters, slots, ...restoreProgress(manifest, spec, range) };
}

/** Where a section begins in the data, in bytes; undefined unless all its tensors are there, of our shapes and in our order. */
function sectionBegin(header: Header, { names, layout }: Section): number | undefined {
  const first = header.tensors.findIndex(({ name }) => name === names[0]);
  if (first < 0) return undefined;
  const matches = names.every((name, index) => {
    const stored = header.tensors[first + index];
    return (
      stored?.name === name &&
      stored.dtype === 'F32' &&
      stored.shape.join() === layout.tensors[index].shape.join()
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
): { updates: number; clocks: number[]; numbers: readonly number[] } {
  const writers = manifest.shards.filter((shard) => shard.begin < range.end && range.begin < shard.end);
  if (writers.length === 0 || writers.some(({ clocks }) => clocks.length !== spec.ranks)) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `checkpoint ${manifest.id} does not say how far the ${spec.ranks} ranks are`,
    );
  }
  const updates = slowest(writers.map((shard) => shard.updates));
  const { numbers = [] } = writers[0];
  if (stalenessBound(spec.staleness) === 0)
    return { updates, numbers, clocks: new Array<number>(spec.ranks).fill(manifest.step) };
  const clocks = Array.from({ length: spec.ranks }, (_, rank) =>
    slowest(writers.map((shard) => shard.clocks[rank])),
  );
  return { updates, numbers, clocks };
}
