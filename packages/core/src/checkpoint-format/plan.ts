import { invariant } from '../errors/invariant.ts';
import type { Layout } from '../layout/Layout.ts';
import { rangeInSlot, type SlotLayout } from '../layout/slotLayout.ts';
import type { Range } from '../partition/partition.ts';
import { headerBytes } from './header.ts';
import { byteOffset, sectionsOf } from './sections.ts';

/** Which bytes of the checkpoint one chunk has: which elements of its section. */
export interface ChunkPlan extends Range {
  readonly index: number;
  /** Of its first byte in the file. */
  readonly offset: number;
  readonly bytes: number;
  /** 0 the parameters, k the optimizer slot k-1; -1 the header. */
  readonly section: number;
  /** Whose range it is from: the place in `ranges`; -1 for the header. */
  readonly shard: number;
}

/**
 * How a checkpoint is cut into chunks: a pure function, so that the servers write their parts without a word to each other. Chunk 0 is the header
 * (with the empty range); then, section by section and shard by shard, pieces of at most `chunkBytes`, in the order of the file.
 * `ranges` cover the flat vector in order, and cut no tensor if a slot lies otherwise than the parameters.
 */
export function planCheckpoint(
  layout: Layout,
  slots: readonly SlotLayout[],
  ranges: readonly Range[],
  chunkBytes: number,
): ChunkPlan[] {
  invariant(chunkBytes >= 4, 'a chunk holds at least one element');
  const start = headerBytes(layout, slots);
  const chunks: ChunkPlan[] = [
    { index: 0, offset: 0, bytes: start, section: -1, shard: -1, begin: 0, end: 0 },
  ];
  const chunkElements = Math.floor(chunkBytes / 4);
  const sections = sectionsOf(layout, slots);
  for (let section = 0; section < sections.length; section++) {
    for (const [shard, shardRange] of ranges.entries()) {
      const range = rangeInSlot(layout, sections[section].layout, shardRange);
      for (let begin = range.begin; begin < range.end; begin += chunkElements) {
        const end = Math.min(range.end, begin + chunkElements);
        const offset = byteOffset(start, sections, section, begin);
        chunks.push({ index: chunks.length, offset, bytes: (end - begin) * 4, section, shard, begin, end });
      }
    }
  }
  return chunks;
}
