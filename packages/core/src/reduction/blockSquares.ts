import { blockElements } from '../partition/partition.ts';

/**
 * Sums of squares per block of the flat vector, in float64. A norm over several shards is the sum of their block sums in block
 * order, hence the same bits however the vector was cut.
 *
 * Within a block there are eight running sums, of the elements at 8k, 8k+1, ... 8k+7, added in pairs at the end: an order that the SIMD kernel
 * (kernels/) can keep, and that does not wait for one addition before it begins the next.
 */
export function blockSquares(values: Float32Array): Float64Array {
  const blocks = new Float64Array(Math.ceil(values.length / blockElements));
  const sums = new Float64Array(8);
  for (let block = 0; block < blocks.length; block++) {
    const begin = block * blockElements;
    const end = Math.min(values.length, begin + blockElements);
    sums.fill(0);
    for (let index = begin; index < end; index++) sums[(index - begin) & 7] += values[index] * values[index];
    blocks[block] = sums[0] + sums[1] + (sums[2] + sums[3]) + (sums[4] + sums[5] + (sums[6] + sums[7]));
  }
  return blocks;
}

/** Sums of the elements per block, or of their absolute values, in float64 from left to right. */
export function blockSums(values: Float32Array, absolute: boolean): Float64Array {
  const blocks = new Float64Array(Math.ceil(values.length / blockElements));
  for (let index = 0; index < values.length; index++) {
    blocks[Math.floor(index / blockElements)] += absolute ? Math.abs(values[index]) : values[index];
  }
  return blocks;
}

/** The Euclidean norm from block sums given in block order. */
export function normOfBlocks(blocks: Iterable<Float64Array>): number {
  return Math.sqrt(sumOfBlocks(blocks));
}

export function sumOfBlocks(blocks: Iterable<Float64Array>): number {
  let sum = 0;
  for (const block of blocks) for (let index = 0; index < block.length; index++) sum += block[index];
  return sum;
}
