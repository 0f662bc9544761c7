import { TributaryError } from '../errors/TributaryError.ts';
import { webAssembly } from '../webassembly/webAssembly.ts';

const pageBytes = 65536;
/** What 32-bit addresses reach, less a page, so that the end of the last vector is still an address. */
const pagesMax = 65535;
/** A cache line. */
const alignment = 64;

/**
 * Vectors in one WebAssembly memory, laid end to end. It is shared, since only a shared memory can grow while the arrays over it stay valid,
 * and so that worker threads can work on it; pages that nobody touched take no RAM. Nothing is freed singly: a shard allocates
 * what it needs once, and the memory goes when the shard does.
 */
export class VectorMemory {
  readonly memory = new webAssembly.Memory({ initial: 1, maximum: pagesMax, shared: true });
  #usedBytes = 0;

  /** A vector of zeros, at the begin of a cache line. Throws RESOURCE_EXHAUSTED beyond 4 GiB. */
  allocate(length: number): Float32Array<SharedArrayBuffer> {
    const offset = this.#usedBytes;
    const end = offset + Math.ceil((length * 4) / alignment) * alignment;
    const missing = Math.ceil(end / pageBytes) - this.memory.buffer.byteLength / pageBytes;
    if (missing > 0) this.#grow(missing, end);
    this.#usedBytes = end;
    return new Float32Array(this.memory.buffer, offset, length);
  }

  /** Does the vector lie in this memory? Arrays made before the memory grew have a buffer object of their own over the same bytes. */
  holds(vector: Float32Array | Float64Array): boolean {
    return this.#buffers.has(vector.buffer);
  }

  readonly #buffers = new WeakSet<ArrayBufferLike>([this.memory.buffer]);

  #grow(pages: number, end: number): void {
    try {
      this.memory.grow(pages);
    } catch (cause) {
      const needed = (end / 2 ** 30).toFixed(1);
      throw new TributaryError('RESOURCE_EXHAUSTED', `one shard would need ${needed} GiB of memory`, {
        hint: 'A shard can have 4 GiB, optimizer state included: use more servers, so that shards are smaller.',
        cause,
      });
    }
    this.#buffers.add(this.memory.buffer);
  }
}
