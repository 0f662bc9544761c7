/* A symmetric matrix as its lower triangle, row by row: element (i, j), j <= i, at i (i + 1) / 2 + j. */

/** The matrix times a vector. */
export function triangleProduct(triangle: Float64Array, vector: ArrayLike<number>): Float64Array {
  const product = new Float64Array(vector.length);
  for (let i = 0, at = 0; i < vector.length; i++, at++) {
    let sum = 0;
    for (let j = 0; j < i; j++, at++) {
      sum += triangle[at] * vector[j];
      product[j] += triangle[at] * vector[i];
    }
    product[i] += sum + triangle[at] * vector[i];
  }
  return product;
}

/** The square blocks along the diagonal, each `blockSize` wide but for the last, one after the other and row by row. */
export function diagonalBlocks(triangle: Float64Array, size: number, blockSize: number): Float64Array {
  const count = Math.ceil(size / blockSize);
  const last = size - (count - 1) * blockSize;
  const blocks = new Float64Array((count - 1) * blockSize ** 2 + last ** 2);
  let at = 0;
  for (let begin = 0; begin < size; begin += blockSize) {
    const end = Math.min(begin + blockSize, size);
    for (let i = begin; i < end; i++) {
      for (let j = begin; j < end; j++) {
        const [low, high] = i < j ? [i, j] : [j, i];
        blocks[at++] = triangle[(high * (high + 1)) / 2 + low];
      }
    }
  }
  return blocks;
}
