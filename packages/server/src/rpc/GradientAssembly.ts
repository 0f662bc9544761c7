import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';

/** Puts the chunks of one push together. They must come in order and without gaps; a chunk that does not fit is refused and changes nothing. */
export class GradientAssembly {
  readonly #length: number;
  readonly #target: Uint8Array | undefined;
  #received = 0;

  /** For a gradient of `length` elements; without a target it is checked and forgotten. */
  constructor(length: number, target: Float32Array | undefined) {
    this.#length = length;
    this.#target = target && new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  }

  /** Elements so far. Above the length once there were too many. */
  get received(): number {
    return this.#received;
  }

  get tooLong(): boolean {
    return this.#received > this.#length;
  }

  add({ offset, data }: Chunk): void {
    if (data.length % 4 !== 0)
      throw invalid(
        `the chunk at element ${offset} has ${data.length} bytes, which are no whole float32 elements`,
      );
    if (data.length > limits.chunkBytes) {
      throw invalid(
        `the chunk at element ${offset} has ${data.length} bytes; at most ${limits.chunkBytes} are accepted`,
      );
    }
    if (offset > this.#received) throw invalid(`elements ${this.#received} to ${offset - 1} are missing`);
    if (offset < this.#received)
      throw invalid(`a chunk came at element ${offset}, after ${this.#received} elements`);
    if (offset + data.length / 4 <= this.#length) this.#target?.set(data, offset * 4);
    this.#received = offset + data.length / 4;
  }
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
