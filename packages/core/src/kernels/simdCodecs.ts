import { decodeBlocks, encodeBlocks } from '../codec/blocks.ts';
import type { Codec } from '../codec/Codec.ts';
import { copyInto } from '../codec/copyInto.ts';
import { blockElements } from '../partition/partition.ts';
import type { VectorKernels } from './VectorKernels.ts';
import type { VectorMemory } from './VectorMemory.ts';

/** Blocks, addresses of values and bytes, and what the codec says. Decoders tell whether the bytes are right. */
type CodecKernel = (blocks: number, values: number, bytes: number, ...rest: number[]) => number;

/** What passes through the memory at once: small enough for the second-level cache. */
const blocksAtOnce = 64;

/**
 * The codecs of the kernels. Encoded bytes come from and go to the network, outside of the kernels' memory, and pass through a small area within. A last block in part
 * and vectors from elsewhere are left to the plain loops.
 */
export function simdCodecs(memory: VectorMemory, exports: object): Pick<VectorKernels, 'encode' | 'decode'> {
  const kernels = exports as Readonly<Record<string, CodecKernel | undefined>>;
  const area = memory.allocate(blocksAtOnce * blockElements);
  const staging = new Uint8Array(area.buffer, area.byteOffset, area.byteLength);
  return {
    encode(codec, values, bytes) {
      const kernel = kernels[`${codec.name}Encode`];
      if (kernel === undefined || !memory.holds(values)) return encodeBlocks(codec, values, bytes);
      for (const { count, address, begin, length } of wholeBlocks(codec, values)) {
        kernel(count, address, staging.byteOffset, ...codec.kernelArguments);
        copyInto(bytes, begin, staging.subarray(0, length));
      }
      const rest = restOf(codec, values, bytes);
      encodeBlocks(codec, rest.values, rest.bytes);
    },
    decode(codec, bytes, values) {
      const kernel = kernels[`${codec.name}Decode`];
      if (kernel === undefined || !memory.holds(values)) return decodeBlocks(codec, bytes, values);
      for (const { count, address, begin, length } of wholeBlocks(codec, values)) {
        copyInto(staging, 0, bytes.subarray(begin, begin + length));
        if (kernel(count, address, staging.byteOffset, ...codec.kernelArguments) === 0) return false;
      }
      const rest = restOf(codec, values, bytes);
      return decodeBlocks(codec, rest.bytes, rest.values);
    },
  };
}

/** The whole blocks, as many at once as the staging area takes. */
function* wholeBlocks(codec: Codec, values: Float32Array) {
  const blocks = Math.floor(values.length / blockElements);
  const blockBytes = codec.blockBytes(blockElements);
  for (let block = 0; block < blocks; block += blocksAtOnce) {
    const count = Math.min(blocksAtOnce, blocks - block);
    const address = values.byteOffset + block * blockElements * 4;
    yield { count, address, begin: block * blockBytes, length: count * blockBytes };
  }
}

function restOf(codec: Codec, values: Float32Array, bytes: Uint8Array) {
  const blocks = Math.floor(values.length / blockElements);
  return {
    values: values.subarray(blocks * blockElements),
    bytes: bytes.subarray(blocks * codec.blockBytes(blockElements)),
  };
}
