import type { Codec } from './Codec.ts';
import { bitsOf, floatOf, loadWord, storeWord } from './floatBits.ts';

/** A codec that makes 16 bits of each element, from the bits of a float32 and back to those of one. */
export function wordCodec(
  name: string,
  toWord: (bits: number) => number,
  fromWord: (word: number) => number,
): Codec {
  return {
    name,
    lossless: false,
    momentum: 0,
    kernelArguments: [],
    blockBytes: (elements) => elements * 2,
    encode(values, bytes) {
      for (let index = 0; index < values.length; index++) {
        const word = toWord(bitsOf(values[index]));
        storeWord(bytes, index * 2, word);
        values[index] -= floatOf(fromWord(word));
      }
    },
    decode(bytes, values) {
      for (let index = 0; index < values.length; index++)
        values[index] = floatOf(fromWord(loadWord(bytes, index * 2)));
      return true;
    },
  };
}
