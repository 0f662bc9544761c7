import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { changeCodec } from '@tributary/core/codec/pullEncodings.ts';
import type { VectorEncoding } from '@tributary/core/codec/VectorEncoding.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { PullHeader } from './transport/messages.ts';
import type { ChunkReceiver } from './transport/ServerChannel.ts';
import { VectorReceiver } from './VectorReceiver.ts';

export interface ChangeReceiverOptions {
  /** The shard's part of what the reader has: the version before, unless it comes whole. */
  readonly target: Float32Array;
  readonly range: Range;
  /** How the change is encoded. */
  readonly encoding: VectorEncoding;
  readonly kernels: VectorKernels;
  /** What is received from whom, in words. */
  readonly what: string;
  /** Counts it. */
  readonly traffic: { pulledBytes: number };
}

/**
 * Adds the chunks of a change to what is there, or puts those of whole parameters in their place: as the server says. When the call fails midway, the target is
 * neither version. Throws INTERNAL unless the chunks come in order, fit, and are as many elements as announced.
 */
export class ChangeReceiver implements ChunkReceiver {
  readonly #options: ChangeReceiverOptions;
  /** Of parameters that come whole. */
  #whole: VectorReceiver | undefined;
  /** What a chunk decodes to; none has more elements than one of float32 may have. */
  #scratch: Float32Array | undefined;
  #received = 0;
  #next = 0;

  constructor(options: ChangeReceiverOptions) {
    this.#options = options;
  }

  begin({ encoding }: PullHeader): void {
    if (encoding === changeCodec.name.toUpperCase()) return;
    const { target, what, traffic } = this.#options;
    this.#whole = new VectorReceiver(target, what, traffic);
  }

  place(offset: number, bytes: number): Uint8Array | undefined {
    return this.#whole?.place(offset, bytes);
  }

  add(chunk: Chunk): void {
    if (this.#whole === undefined) this.#addChange(chunk);
    else this.#whole.add(chunk);
  }

  finish(elements: number): void {
    if (this.#whole !== undefined) this.#whole.finish(elements);
    else if (this.#received !== elements) throw this.#broken(`${this.#received} elements in all`);
  }

  #addChange({ offset, data }: Chunk): void {
    const { target, range, encoding, kernels, traffic } = this.#options;
    const part = encoding.part(range.begin + offset, data.length);
    if (part === undefined || offset < this.#next || part.end > range.end)
      throw this.#broken(`a chunk of ${data.length} bytes at element ${offset}`);
    this.#scratch ??= new Float32Array(limits.chunkBytes / 4);
    const change = this.#scratch.subarray(0, part.end - part.begin);
    kernels.decode(part.codec, data, change);
    kernels.add(target.subarray(offset, offset + change.length), change);
    this.#next = offset + change.length;
    this.#received += change.length;
    traffic.pulledBytes += data.length;
  }

  #broken(how: string): TributaryError {
    return new TributaryError('INTERNAL', `${this.#options.what} came in disorder: ${how}`);
  }
}
