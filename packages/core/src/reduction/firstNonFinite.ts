/** The index of the first NaN or infinity in values[begin, end), or -1. */
export function firstNonFinite(values: Float32Array, begin = 0, end = values.length): number {
  for (let index = begin; index < end; index++) {
    // Only NaN and infinities are not 0 after this.
    if (values[index] - values[index] !== 0) return index;
  }
  return -1;
}
