import type { EncodedRun } from '../job/JobSpec.ts';
import { limits } from '../limits/limits.ts';
import { blockElements, type Range } from '../partition/partition.ts';
import { encodedBytes } from './blocks.ts';
import type { Codec } from './Codec.ts';
import type { Chunk } from './chunkMessage.ts';
import { createCodec } from './table.ts';

/** Whole blocks of one codec, or one block in part: where a run of tensors begins or ends within a block. */
interface Section extends Range {
  readonly codec: Codec;
  /** Where its bytes begin among those of the vector. */
  readonly at: number;
}

/** What of a vector a chunk holds. */
export interface EncodedPart extends Range {
  readonly codec: Codec;
}

/** What is encoded at once, and where its bytes are among those of the vector. */
export interface EncodedPiece extends EncodedPart {
  readonly at: number;
  readonly bytes: number;
}

/**
 * How a flat vector is encoded: runs of tensors, each by one codec. Some ranges may be left out. Blocks begin at multiples of 1024 elements of
 * the vector, and wherever a run or a range begins. A chunk holds whole blocks, or the one in part with which a run or a range begins or ends, so that each can be decoded as it comes.
 */
export class VectorEncoding {
  /** Of all that is encoded. */
  readonly bytes: number;
  readonly #sections: Section[] = [];

  /** Runs that cover a vector, in order, and the ranges of it that are encoded, in order and apart. Throws as createCodec. */
  constructor(runs: readonly EncodedRun[], live: readonly Range[]) {
    let at = 0;
    for (const { begin, end, codec: spec } of runs) {
      const codec = createCodec(spec);
      for (const range of live) {
        for (const [from, to] of cut(Math.max(begin, range.begin), Math.min(end, range.end))) {
          this.#sections.push({ begin: from, end: to, codec, at });
          at += encodedBytes(codec, to - from);
        }
      }
    }
    this.bytes = at;
  }

  /** All pieces of a range, in order. The range begins and ends at multiples of 1024, or the vector's end. */
  *pieces(range: Range): Generator<EncodedPiece> {
    for (const { begin, end, codec, at } of this.#sections) {
      const to = Math.min(end, range.end);
      for (let from = Math.max(begin, range.begin); from < to; from += elementsAtOnce) {
        const until = Math.min(from + elementsAtOnce, to);
        const bytes = encodedBytes(codec, until - from);
        yield { begin: from, end: until, codec, at: at + encodedBytes(codec, from - begin), bytes };
      }
    }
  }

  /**
   * The bytes of a range as chunks, their offsets counted from its begin. `encoded` has those of the whole vector, or gets those of a part when `encode` is
   * called with it.
   */
  *chunks(encoded: Uint8Array, range: Range, encode?: (part: Range) => void): Generator<Chunk> {
    for (const piece of this.pieces(range)) {
      encode?.(piece);
      const { begin, at, bytes } = piece;
      yield { offset: begin - range.begin, data: encoded.subarray(at, at + bytes) };
    }
  }

  /** What so many bytes hold that begin with element `begin`; undefined if that is no chunk. */
  part(begin: number, bytes: number): EncodedPart | undefined {
    const section = this.#sectionAt(begin);
    if (section === undefined || bytes === 0) return undefined;
    const { codec } = section;
    const isPart = section.end - section.begin < blockElements;
    const blocks = Math.floor(bytes / codec.blockBytes(blockElements));
    const end = isPart ? section.end : begin + blocks * blockElements;
    const fits = end <= section.end && encodedBytes(codec, end - begin) === bytes;
    return fits ? { begin, end, codec } : undefined;
  }

  #sectionAt(element: number): Section | undefined {
    let low = 0;
    let high = this.#sections.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#sections[middle].begin <= element) low = middle;
      else high = middle - 1;
    }
    const section = this.#sections[low];
    if (section === undefined || element >= section.end) return undefined;
    return (element - section.begin) % blockElements === 0 ? section : undefined;
  }
}

/** So that no encoded chunk is greater than one of float32 may be. */
const elementsAtOnce = limits.chunkBytes / 4;

/** A run cut where blocks begin: perhaps one in part, whole ones, perhaps one in part. */
function cut(begin: number, end: number): [number, number][] {
  if (begin >= end) return [];
  const first = Math.min(end, Math.ceil(begin / blockElements) * blockElements);
  const last = Math.max(first, Math.floor(end / blockElements) * blockElements);
  const parts: [number, number][] = [
    [begin, first],
    [first, last],
    [last, end],
  ];
  return parts.filter(([from, to]) => from < to);
}
