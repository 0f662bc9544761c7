/**
 * How a run of float32 becomes bytes and back. All codecs work on blocks of 1024 elements, the blocks at which shards are cut, and a block's bytes depend on that
 * block alone: so what is sent is the same for any number of servers. A block of n elements has the same number of bytes whatever is in it.
 *
 * One file and one row in the table each, and a kernel in packages/core/assembly; one law suite holds all of them (test/laws/codec.laws.ts).
 */
export interface Codec {
  /** As in the table; also the begin of the names of its kernels. */
  readonly name: string;
  /** Is what is decoded always what was encoded? */
  readonly lossless: boolean;
  /** The m of momentum correction, which the sender keeps; see topk.ts. 0: none. */
  readonly momentum: number;
  /** Bytes of a block of 1 to 1024 elements. */
  blockBytes(elements: number): number;
  /**
   * Encodes one block, and leaves in `values` what it lost: what was there less what `decode` will give. The sender adds that to its next gradient
   * ("error feedback"). Values must be finite if the loss is to be used.
   */
  encode(values: Float32Array, bytes: Uint8Array): void;
  /** Decodes one block. False if the bytes are not such as `encode` makes; then the values are anything. */
  decode(bytes: Uint8Array, values: Float32Array): boolean;
  /** What the kernels need to know beside the blocks. */
  readonly kernelArguments: readonly number[];
}
