import { blockElements } from '../partition/partition.ts';

/**
 * Sums of squares per block of the flat vector, in float64. A norm over several shards is the sum of their block sums in block
 * order, hence the same bits however the vector was cut.
 */
export function blockSquares(values: Float32Array): Float64Array {
  const sums = new Float64Array(Math.ceil(values.length / blockElements));
  for (let block = 0; block < sums.length; block++) {
    const end = Math.min(values.length, (block + 1) * blockElements);
    let sum = 0;
    for (let index = block * blockElements; index < end; index++) sum += values[index] * values[index];
    sums[block] = sum;
  }
  return sums;
}

/** The Euclidean norm from block sums given in block order. */
export function normOfBlocks(blocks: Iterable<Float64Array>): number {
  let sum = 0;
  for (const block of blocks) for (let index = 0; index < block.length; index++) sum += block[index];
  return Math.sqrt(sum);
}
