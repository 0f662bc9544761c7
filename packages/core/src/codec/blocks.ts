import { invariant } from '../errors/invariant.ts';
import { blockElements } from '../partition/partition.ts';
import type { Codec } from './Codec.ts';

/** Bytes of that many elements: whole blocks, and perhaps a last one in part. */
export function encodedBytes(codec: Codec, elements: number): number {
  const rest = elements % blockElements;
  const whole = ((elements - rest) / blockElements) * codec.blockBytes(blockElements);
  return whole + (rest === 0 ? 0 : codec.blockBytes(rest));
}

/** Encodes block after block; `values` begins at a block. As Codec.encode. */
export function encodeBlocks(codec: Codec, values: Float32Array, bytes: Uint8Array): void {
  invariant(bytes.length === encodedBytes(codec, values.length), 'a codec fills its bytes');
  eachBlock(codec, values, bytes, (block, encoded) => codec.encode(block, encoded));
}

/** Decodes block after block. As Codec.decode. */
export function decodeBlocks(codec: Codec, bytes: Uint8Array, values: Float32Array): boolean {
  invariant(bytes.length === encodedBytes(codec, values.length), 'a codec reads all of its bytes');
  let right = true;
  eachBlock(codec, values, bytes, (block, encoded) => {
    if (!codec.decode(encoded, block)) right = false;
  });
  return right;
}

function eachBlock(
  codec: Codec,
  values: Float32Array,
  bytes: Uint8Array,
  visit: (values: Float32Array, bytes: Uint8Array) => void,
): void {
  for (let begin = 0, at = 0; begin < values.length; begin += blockElements) {
    const block = values.subarray(begin, begin + blockElements);
    const length = codec.blockBytes(block.length);
    visit(block, bytes.subarray(at, at + length));
    at += length;
  }
}
