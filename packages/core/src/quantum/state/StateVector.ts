import { invariant } from '../../errors/invariant.ts';
import { limits } from '../../limits/limits.ts';
import { allocateAmplitudes, type GateKernel } from './gateKernel.ts';

/**
 * The 2^n complex amplitudes of n qubits. Bit q of an index is the value of qubit q, so index 0b10 of two qubits has qubit 1 set.
 *
 * Real and imaginary parts lie in two arrays: a gate then reads and writes straight runs of each, and what is real stays real. Float64 and not Float32: typed arrays
 * compute in double precision anyway, so halving the bytes saves no time below the size of the cache, and rounding at 1e-7 a gate would drown the finite differences and the
 * energies that are compared with brute force.
 */
export interface StateVector {
  readonly qubits: number;
  readonly re: Float64Array;
  readonly im: Float64Array;
  /** Applies gates faster, to this state alone. Small states have none. */
  readonly kernel?: GateKernel;
}

/** From here on a gate takes longer than the way into WebAssembly, and a state so long that its own memory does not matter. */
const kernelQubits = 10;

/** |0...0>. It takes 16 * 2^qubits bytes. */
export function zeroState(qubits: number): StateVector {
  invariant(
    Number.isInteger(qubits) && qubits >= 0 && qubits <= limits.qubitsMax,
    `a state of ${qubits} qubits`,
  );
  const size = 2 ** qubits;
  const state: StateVector =
    qubits < kernelQubits
      ? { qubits, re: new Float64Array(size), im: new Float64Array(size) }
      : { qubits, ...allocateAmplitudes(size) };
  state.re[0] = 1;
  return state;
}

/** All qubits in |+>: every amplitude is 2^(-n/2). */
export function uniformState(qubits: number): StateVector {
  const state = zeroState(qubits);
  state.re.fill(2 ** (-qubits / 2));
  return state;
}

export function copyState({ qubits, re, im }: StateVector): StateVector {
  const copy = zeroState(qubits);
  copy.re.set(re);
  copy.im.set(im);
  return copy;
}

/** The sum of all probabilities: 1 but for rounding. */
export function squaredNorm({ re, im }: StateVector): number {
  let sum = 0;
  for (let i = 0; i < re.length; i++) sum += re[i] * re[i] + im[i] * im[i];
  return sum;
}

/** <a|b> as [real, imaginary]. */
export function innerProduct(a: StateVector, b: StateVector): [number, number] {
  let real = 0;
  let imaginary = 0;
  for (let i = 0; i < a.re.length; i++) {
    real += a.re[i] * b.re[i] + a.im[i] * b.im[i];
    imaginary += a.re[i] * b.im[i] - a.im[i] * b.re[i];
  }
  return [real, imaginary];
}
