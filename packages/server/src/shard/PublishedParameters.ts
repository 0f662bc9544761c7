import type { Codec } from '@tributary/core/codec/Codec.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { JobEncoding } from '@tributary/core/codec/JobEncoding.ts';
import { changeCodec } from '@tributary/core/codec/pullEncodings.ts';
import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { lengthOf } from '@tributary/core/layout/segments.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import { ParameterVersions, type Version } from './ParameterVersions.ts';
import { VectorPool } from './VectorPool.ts';

/**
 * The parameters as readers have them who are sent changes only, and those changes rounded.
 *
 * A reader who adds up rounded changes would drift away from the parameters. So the shard keeps what its readers have, and each change is what is missing between that
 * and the parameters: what one rounding takes is in the next change. As every reader adds the same bytes to the same vector, in float32, one such vector serves
 * all, and what a step is computed from depends on the step alone. (The same on both ways of the wire: Tang et al., "DoubleSqueeze", ICML 2019, algorithm 1. To compare
 * with what each reader was sent would need a vector per reader, and give each of them other bits.)
 *
 * A version's change lies behind it in the same memory, so that both last as long as somebody holds the version.
 */
export class PublishedParameters {
  readonly #range: Range;
  readonly #length: number;
  readonly #kernels: VectorKernels;
  readonly #encoding: JobEncoding;
  readonly #pool: VectorPool;
  readonly #versions: ParameterVersions;
  readonly #scratch: Float32Array;
  readonly #firstStep: number;

  /** Readers begin from `parameters`, whole. */
  constructor(spec: JobSpec, range: Range, kernels: VectorKernels, parameters: Float32Array, step: number) {
    this.#range = range;
    this.#length = range.end - range.begin;
    this.#kernels = kernels;
    this.#firstStep = step;
    this.#encoding = new JobEncoding({
      ...spec,
      encoding: [{ begin: 0, end: spec.layout.length, codec: changeCodec }],
    });
    // What freezes and thaws cuts the blocks at other places: room for the step that needs most.
    const steps = [0, ...(spec.tensors ?? []).map(({ frozenUntil }) => frozenUntil ?? 0)];
    const changeBytes = Math.max(...steps.map((at) => this.#pieces(at).bytes));
    this.#pool = new VectorPool(() => kernels.allocate(this.#length + Math.ceil(changeBytes / 4)));
    const first = this.#pool.take();
    first.set(parameters);
    this.#versions = new ParameterVersions(first, step, (vector) => this.#pool.give(vector));
    this.#scratch = kernels.allocate(Math.min(limits.chunkBytes / 4, this.#length));
  }

  get current(): Version {
    return this.#versions.current;
  }

  get previous(): Version | undefined {
    return this.#versions.previous;
  }

  hold(version: Version): Version {
    return this.#versions.hold(version);
  }

  release(version: Version): void {
    this.#versions.release(version);
  }

  forgetPrevious(): void {
    this.#versions.forgetPrevious();
  }

  /** A version's parameters. */
  values(version: Version): Float32Array {
    return version.values.subarray(0, this.#length);
  }

  /** What makes a version of the one before, and how many elements that are; undefined for the first one. */
  change(version: Version): { chunks: readonly Chunk[]; length: number } | undefined {
    if (version.number === this.#firstStep) return undefined;
    const { pieces } = this.#pieces(version.number - 1);
    return {
      chunks: pieces.map(({ begin, from, bytes }) => ({
        offset: begin,
        data: this.#bytes(version.values, from, bytes),
      })),
      length: lengthOf(pieces),
    };
  }

  /** The parameters after `step`. */
  advance(step: number, parameters: Float32Array): void {
    const out = this.#pool.take();
    out.set(this.values(this.#versions.current));
    for (const { begin, end, from, bytes, codec } of this.#pieces(step).pieces) {
      const published = out.subarray(begin, end);
      const change = this.#scratch.subarray(0, end - begin);
      const encoded = this.#bytes(out, from, bytes);
      this.#kernels.scale(change, published, -1);
      this.#kernels.add(change, parameters.subarray(begin, end));
      this.#kernels.encode(codec, change, encoded);
      this.#kernels.decode(codec, encoded, change);
      this.#kernels.add(published, change);
    }
    this.#versions.advance(step + 1, out);
  }

  /** The places of a step's change in the shard, and of its bytes among those of the shard. */
  #pieces(step: number) {
    const pieces: (Range & { readonly codec: Codec; readonly from: number; readonly bytes: number })[] = [];
    let total = 0;
    for (const { begin, end, codec, bytes } of this.#encoding.at(step).pieces(this.#range)) {
      const { begin: first } = this.#range;
      pieces.push({ begin: begin - first, end: end - first, codec, from: total, bytes });
      total += bytes;
    }
    return { pieces, bytes: total };
  }

  #bytes(buffer: Float32Array, from: number, bytes: number): Uint8Array {
    return new Uint8Array(buffer.buffer, buffer.byteOffset + 4 * this.#length + from, bytes);
  }
}
