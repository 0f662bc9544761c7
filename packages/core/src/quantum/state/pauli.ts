import { invariant } from '../../errors/invariant.ts';
import type { StateVector } from './StateVector.ts';

/**
 * A product of Pauli matrices on distinct qubits as two bit masks: X flips the qubits in `x`, Z signs those in `z`, and a qubit in both has Y = i X Z.
 * So P|b> = i^|x & z| (-1)^|b & z| |b xor x>, without a matrix.
 */
export interface PauliString {
  readonly x: number;
  readonly z: number;
}

/** A Hermitian operator: the sum of coefficient times string. */
export type PauliSum = readonly { readonly coefficient: number; readonly string: PauliString }[];

/** Reads "X0 Z3": a letter and a qubit each; "" is the identity. */
export function pauliString(text: string): PauliString {
  let x = 0;
  let z = 0;
  for (const factor of text.split(' ').filter((part) => part !== '')) {
    const [, letter, qubit] = /^([XYZ])(\d+)$/.exec(factor) ?? [];
    invariant(letter !== undefined && ((x | z) & (1 << Number(qubit))) === 0, `the Pauli string "${text}"`);
    if (letter !== 'Z') x |= 1 << Number(qubit);
    if (letter !== 'X') z |= 1 << Number(qubit);
  }
  return { x, z };
}

/** <state|sum|state>. */
export function expectation(state: StateVector, sum: PauliSum): number {
  return sum.reduce(
    (total, { coefficient, string }) => total + coefficient * stringExpectation(state, string),
    0,
  );
}

/** <state|D|state> of an operator that is diagonal with these entries. */
export function diagonalExpectation({ re, im }: StateVector, diagonal: Float64Array): number {
  let sum = 0;
  for (let b = 0; b < re.length; b++) sum += (re[b] * re[b] + im[b] * im[b]) * diagonal[b];
  return sum;
}

function stringExpectation({ re, im }: StateVector, { x, z }: PauliString): number {
  let real = 0;
  let imaginary = 0;
  for (let b = 0; b < re.length; b++) {
    const sign = 1 - 2 * (bitCount(b & z) & 1);
    const to = b ^ x;
    real += sign * (re[to] * re[b] + im[to] * im[b]);
    imaginary += sign * (re[to] * im[b] - im[to] * re[b]);
  }
  // The real part of (real + i imaginary) i^quarter; the other part is 0, since a Pauli string is Hermitian.
  const quarter = bitCount(x & z) & 3;
  const part = quarter & 1 ? -imaginary : real;
  return quarter & 2 ? -part : part;
}

/** How many bits of a 32-bit word are 1 (Warren, "Hacker's Delight", 2012, figure 5-2). */
export function bitCount(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
