import type { Codec } from '@tributary/core/codec/Codec.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { copyInto } from '@tributary/core/codec/copyInto.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { lengthOf } from '@tributary/core/layout/segments.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Range } from '@tributary/core/partition/partition.ts';

/** How the chunks of a push are decoded, if they are not float32. */
export interface ChunkDecoder {
  /** What so many bytes at this element of the shard are; undefined if they are no chunk. */
  part(offset: number, bytes: number): { readonly elements: number; readonly codec: Codec } | undefined;
  /** False if the bytes are malformed. */
  decode(codec: Codec, bytes: Uint8Array, values: Float32Array): boolean;
}

export interface AssemblyOptions {
  /** Where the vector goes. Without it all is checked and forgotten. */
  readonly target?: Float32Array | undefined;
  readonly decoder?: ChunkDecoder | undefined;
  /** Asked of each chunk, while it is in the cache. */
  readonly allFinite?: (values: Float32Array) => boolean;
}

/**
 * Puts the chunks of one push together. They must come in order and without gaps but those between the expected ranges; a chunk that does not fit is refused
 * and changes nothing.
 */
export class GradientAssembly {
  readonly #ranges: readonly Range[];
  readonly #target: Uint8Array | undefined;
  readonly #values: Float32Array | undefined;
  readonly #decoder: ChunkDecoder | undefined;
  readonly #allFinite: AssemblyOptions['allFinite'];
  readonly expected: number;
  /** All that came is; known only where `allFinite` was given. */
  finite = true;
  #received = 0;
  /** The range that is being filled, and its next element. */
  #range = 0;
  #next: number;

  /** For the elements of `ranges`, in order and apart; those between them become 0. */
  constructor(ranges: readonly Range[], { target, decoder, allFinite }: AssemblyOptions) {
    this.#ranges = ranges;
    this.#values = target;
    this.#decoder = decoder;
    this.#allFinite = allFinite;
    this.expected = lengthOf(ranges);
    this.#next = ranges[0]?.begin ?? 0;
    this.#target = target && new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    let end = 0;
    for (const range of ranges) {
      target?.fill(0, end, range.begin);
      end = range.end;
    }
    target?.fill(0, end);
  }

  /** Elements so far. Above those expected once there were too many. */
  get received(): number {
    return this.#received;
  }

  get tooLong(): boolean {
    return this.#received > this.expected;
  }

  get complete(): boolean {
    return this.#received === this.expected;
  }

  /** Where a chunk may be put at once; undefined if `add` would refuse it, forgets it, or has to decode it. */
  place(offset: number, bytes: number): Uint8Array | undefined {
    if (this.#decoder !== undefined) return undefined;
    const fits = offset === this.#next && bytes % 4 === 0 && bytes <= limits.chunkBytes;
    if (!fits || offset + bytes / 4 > (this.#ranges[this.#range]?.end ?? 0)) return undefined;
    return this.#target?.subarray(offset * 4, offset * 4 + bytes);
  }

  add({ offset, data }: Chunk): void {
    if (this.#decoder === undefined && data.length % 4 !== 0)
      throw misfit(offset, data, 'no whole float32 elements');
    if (data.length > limits.chunkBytes) {
      throw invalid(
        `the chunk at element ${offset} has ${data.length} bytes; at most ${limits.chunkBytes} are accepted`,
      );
    }
    if (offset > this.#next) throw invalid(`elements ${this.#next} to ${offset - 1} are missing`);
    if (offset < this.#next)
      throw invalid(`a chunk came at element ${offset}, after ${this.#received} elements`);
    const part = this.#decoder?.part(offset, data.length);
    // Whatever comes after the last element is too much; before it, it must be whole blocks.
    if (this.#decoder !== undefined && part === undefined && !this.complete)
      throw misfit(offset, data, 'no whole blocks of its encoding');
    const elements = this.#decoder === undefined ? data.length / 4 : (part?.elements ?? 1);
    const end = offset + elements;
    const rangeEnd = this.#ranges[this.#range]?.end ?? 0;
    const isLast = this.#range >= this.#ranges.length - 1;
    if (end > rangeEnd && !isLast) {
      throw invalid(
        `the chunk at element ${offset} reaches to ${end - 1}, but elements ${rangeEnd} to ${this.#ranges[this.#range + 1].begin - 1} are frozen`,
      );
    }
    if (end <= rangeEnd) this.#put(offset, data, part, this.#values?.subarray(offset, end));
    this.#received += elements;
    this.#next = end;
    if (end === rangeEnd && !isLast) this.#next = this.#ranges[++this.#range].begin;
  }

  #put(
    offset: number,
    data: Uint8Array,
    part: { codec: Codec } | undefined,
    values: Float32Array | undefined,
  ): void {
    if (values === undefined) return;
    if (part === undefined) copyInto(this.#target!, offset * 4, data);
    else if (!this.#decoder!.decode(part.codec, data, values))
      throw invalid(`the chunk at element ${offset} is malformed: it is no ${part.codec.name}`);
    if (this.#allFinite?.(values) === false) this.finite = false;
  }
}

function misfit(offset: number, data: Uint8Array, what: string): TributaryError {
  return invalid(`the chunk at element ${offset} has ${data.length} bytes, which are ${what}`);
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
