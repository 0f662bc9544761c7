import { philox4x32, randomUint32 } from '@tributary/core/random/philox.ts';
import { expect, test } from 'vitest';

// Known-answer vectors of the authors' Random123 library (tests/kat_vectors, philox4x32 with 10 rounds): counter, key, output.
const vectors = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
];

const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));

test.each(vectors)('counter %s, key %s', (counter, key, output) => {
  expect(Array.from(philox4x32(words(counter), words(key)))).toEqual(words(output));
});

test('randomUint32 is the first word, with the seed as key', () => {
  expect(randomUint32(0, 0)).toBe(0x6627e8d5);
  expect(randomUint32(0, 0, 0, 0, 0)).toBe(0x6627e8d5);
  const [low, high] = [0x9abcdef0, 0x12345];
  expect(randomUint32(high * 2 ** 32 + low, 5, 6, 7, 8)).toBe(philox4x32([5, 6, 7, 8], [low, high])[0]);
});

test('neighbouring counters and seeds give unrelated bits', () => {
  let flipped = 0;
  const draws = 2000;
  for (let index = 0; index < draws; index++) {
    const differing =
      randomUint32(7, index) ^ (index % 2 ? randomUint32(7, index + 1) : randomUint32(8, index));
    flipped += (differing >>> 0).toString(2).replaceAll('0', '').length;
  }
  // 16 of 32 bits; the standard deviation of the mean is 0.06.
  expect(Math.abs(flipped / draws - 16)).toBeLessThan(0.4);
});
