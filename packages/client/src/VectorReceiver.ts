import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { bytesOf } from '@tributary/core/codec/chunksOf.ts';
import { copyInto } from '@tributary/core/codec/copyInto.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ChunkReceiver } from './transport/ServerChannel.ts';

/** Puts the chunks of an answer in their place. Throws INTERNAL unless they come in order, fit, and are as many elements as announced. */
export class VectorReceiver implements ChunkReceiver {
  readonly #target: Uint8Array;
  readonly #what: string;
  readonly #traffic: { pulledBytes: number };
  #received = 0;
  #next = 0;

  /** `what` is received from whom, in words; `traffic` counts it. */
  constructor(target: Float32Array, what: string, traffic: { pulledBytes: number }) {
    this.#traffic = traffic;
    this.#target = bytesOf(target);
    this.#what = what;
  }

  place(offset: number, bytes: number): Uint8Array | undefined {
    return this.#fits(offset, bytes) ? this.#target.subarray(offset * 4, offset * 4 + bytes) : undefined;
  }

  add({ offset, data }: Chunk): void {
    if (!this.#fits(offset, data.length)) {
      throw this.#broken(`a chunk of ${data.length} bytes at element ${offset}`);
    }
    copyInto(this.#target, offset * 4, data);
    this.#next = offset * 4 + data.length;
    this.#received += data.length;
    this.#traffic.pulledBytes += data.length;
  }

  finish(elements: number): void {
    if (this.#received !== elements * 4) throw this.#broken(`${this.#received} bytes in all`);
  }

  #fits(offset: number, bytes: number): boolean {
    return offset * 4 >= this.#next && offset * 4 + bytes <= this.#target.length;
  }

  #broken(how: string): TributaryError {
    return new TributaryError('INTERNAL', `${this.#what} came in disorder: ${how}`);
  }
}
