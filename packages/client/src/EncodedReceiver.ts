import type { Codec } from '@tributary/core/codec/Codec.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { VectorKernels } from '@tributary/core/kernels/VectorKernels.ts';
import type { ChunkReceiver } from './transport/ServerChannel.ts';

export interface EncodedReceiverOptions {
  readonly target: Float32Array;
  /** One that encodes each element by itself. */
  readonly codec: Codec;
  readonly kernels: VectorKernels;
  /** What is received from whom, in words. */
  readonly what: string;
  /** Counts it. */
  readonly traffic: { pulledBytes: number };
}

/** Decodes the chunks of an answer into their place. Throws INTERNAL unless they come in order, fit, and are as many elements as announced. */
export class EncodedReceiver implements ChunkReceiver {
  readonly #options: EncodedReceiverOptions;
  #received = 0;
  #next = 0;

  constructor(options: EncodedReceiverOptions) {
    this.#options = options;
  }

  /** Nowhere: what arrives is not yet what is wanted. */
  place(): undefined {
    return undefined;
  }

  add({ offset, data }: Chunk): void {
    const { target, codec, kernels, traffic } = this.#options;
    const elements = data.length / codec.blockBytes(1);
    const end = offset + elements;
    if (!Number.isInteger(elements) || offset < this.#next || end > target.length)
      throw this.#broken(`a chunk of ${data.length} bytes at element ${offset}`);
    kernels.decode(codec, data, target.subarray(offset, end));
    this.#next = end;
    this.#received += elements;
    traffic.pulledBytes += data.length;
  }

  finish(elements: number): void {
    if (this.#received !== elements) throw this.#broken(`${this.#received} elements in all`);
  }

  #broken(how: string): TributaryError {
    return new TributaryError('INTERNAL', `${this.#options.what} came in disorder: ${how}`);
  }
}
