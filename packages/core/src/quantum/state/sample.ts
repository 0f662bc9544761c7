import type { RandomSource } from '../../random/uniforms.ts';
import type { StateVector } from './StateVector.ts';

/** Measures all qubits of `shots` copies of the state: basis states, drawn by their probabilities. */
export function sample({ re, im }: StateVector, shots: number, random: RandomSource): Uint32Array {
  const upTo = new Float64Array(re.length);
  let total = 0;
  for (let b = 0; b < re.length; b++) {
    total += re[b] * re[b] + im[b] * im[b];
    upTo[b] = total;
  }
  // The total stands in for 1, from which rounding may have moved it.
  return Uint32Array.from({ length: shots }, () => firstAbove(upTo, random() * total));
}

/** The least index whose value is above `bound`, in ascending values. */
function firstAbove(ascending: Float64Array, bound: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}
