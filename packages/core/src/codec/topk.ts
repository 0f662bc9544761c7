import { TributaryError } from '../errors/TributaryError.ts';
import { blockElements } from '../partition/partition.ts';
import type { Codec } from './Codec.ts';
import { loadFloat, loadWord, storeFloat, storeWord } from './floatBits.ts';

export interface TopkOptions {
  /** Of the elements of a block, this fraction is sent: above 0, at most 0.5. */
  readonly density: number;
  /** Of momentum correction, from 0 to below 1. 0: plain error feedback. */
  readonly momentum: number;
}

/**
 * The greatest of each block, the fraction `density` of its elements, rounded up: their places (16 bits each, ascending), then their values (float32). Of equal
 * magnitudes the first are taken. What is not sent is left to the next gradient, so that it is sent once it has grown.
 *
 * With `momentum` m the sender keeps a velocity u <- m u + g and sends of the sum of its velocities; both are cleared where they were sent
 * ("momentum correction" and "momentum factor masking"). That is SGD with momentum, moved before the compression, so the server is to apply plain SGD. Lin et
 * al., "Deep Gradient Compression", 2018, sections 3.1 and 3.2; there the greatest of a layer are taken, here those of a block.
 */
export function topk({ density, momentum }: TopkOptions): Codec {
  if (!(density > 0 && density <= 0.5)) throw outOfRange('density', density, 'above 0, and at most 0.5');
  if (!(momentum >= 0 && Math.fround(momentum) < 1))
    throw outOfRange('momentum', momentum, 'from 0 to below 1');
  const kept = (elements: number) => Math.ceil(elements * density);
  return {
    name: 'topk',
    lossless: false,
    momentum,
    kernelArguments: [kept(blockElements)],
    blockBytes: (elements) => kept(elements) * 6,
    encode(values, bytes) {
      const count = bytes.length / 6;
      const order = Array.from(values.keys()).sort(
        (a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b,
      );
      const chosen = order.slice(0, count).sort((a, b) => a - b);
      for (const [index, place] of chosen.entries()) {
        storeWord(bytes, index * 2, place);
        storeFloat(bytes, count * 2 + index * 4, values[place]);
        values[place] = 0;
      }
    },
    decode(bytes, values) {
      const count = bytes.length / 6;
      values.fill(0);
      let last = -1;
      for (let index = 0; index < count; index++) {
        const place = loadWord(bytes, index * 2);
        if (place <= last || place >= values.length) return false;
        values[place] = loadFloat(bytes, count * 2 + index * 4);
        last = place;
      }
      return true;
    },
  };
}

function outOfRange(option: string, value: number, range: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', `encoding "topk": ${option} is ${value}`, {
    hint: `It must be ${range}.`,
  });
}
