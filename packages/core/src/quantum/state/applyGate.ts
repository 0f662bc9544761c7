import { invariant } from '../../errors/invariant.ts';
import type { Gate, TwoQubitGate } from './gates.ts';
import type { StateVector } from './StateVector.ts';

/** Applies a gate to one qubit, in place, where all control qubits are 1. */
export function applyGate(
  { qubits, re, im, kernel }: StateVector,
  gate: Gate,
  target: number,
  controls: readonly number[] = [],
): void {
  const stride = maskOf(qubits, [target]);
  const control = maskOf(qubits, controls, stride);
  if (kernel !== undefined && control === 0 && target > 0) {
    kernel(re.byteOffset, im.byteOffset, re.byteLength, target, ...gate);
    return;
  }
  const [ar, ai, br, bi, cr, ci, dr, di] = gate;
  const free = (re.length - 1) & ~(stride | control);
  // Every value of the free bits in ascending order: subtracting their mask is adding one with the carry led past the other bits.
  let others = 0;
  do {
    const i = others | control;
    const j = i | stride;
    const xr = re[i];
    const xi = im[i];
    const yr = re[j];
    const yi = im[j];
    re[i] = ar * xr - ai * xi + br * yr - bi * yi;
    im[i] = ar * xi + ai * xr + br * yi + bi * yr;
    re[j] = cr * xr - ci * xi + dr * yr - di * yi;
    im[j] = cr * xi + ci * xr + dr * yi + di * yr;
    others = (others - free) & free;
  } while (others !== 0);
}

/** Applies a gate to two qubits, in place. */
export function applyTwoQubitGate(
  { qubits, re, im }: StateVector,
  gate: TwoQubitGate,
  first: number,
  second: number,
): void {
  const firstBit = maskOf(qubits, [first]);
  const secondBit = maskOf(qubits, [second], firstBit);
  const offsets = [0, firstBit, secondBit, firstBit | secondBit];
  const xr = new Float64Array(4);
  const xi = new Float64Array(4);
  for (let base = 0; base < re.length; base++) {
    if ((base & offsets[3]) !== 0) continue;
    for (let column = 0; column < 4; column++) {
      xr[column] = re[base | offsets[column]];
      xi[column] = im[base | offsets[column]];
    }
    for (let row = 0; row < 4; row++) {
      let real = 0;
      let imaginary = 0;
      for (let column = 0; column < 4; column++) {
        const gr = gate[8 * row + 2 * column];
        const gi = gate[8 * row + 2 * column + 1];
        real += gr * xr[column] - gi * xi[column];
        imaginary += gr * xi[column] + gi * xr[column];
      }
      re[base | offsets[row]] = real;
      im[base | offsets[row]] = imaginary;
    }
  }
}

/** Multiplies the amplitude of each basis state z by exp(-i time energies[z]), in place: evolution under a diagonal Hamiltonian. */
export function applyDiagonalPhase({ re, im }: StateVector, energies: Float64Array, time: number): void {
  invariant(energies.length === re.length, `${energies.length} energies of ${re.length} basis states`);
  for (let z = 0; z < re.length; z++) {
    const c = Math.cos(time * energies[z]);
    const s = -Math.sin(time * energies[z]);
    const real = re[z];
    re[z] = c * real - s * im[z];
    im[z] = c * im[z] + s * real;
  }
}

/** A bit for each of the qubits used: they must be there, and distinct from each other and from those taken. */
function maskOf(qubits: number, used: readonly number[], taken = 0): number {
  let mask = 0;
  for (const qubit of used) {
    const bit = Number.isInteger(qubit) && qubit >= 0 && qubit < qubits ? 1 << qubit : 0;
    invariant(bit !== 0 && ((mask | taken) & bit) === 0, 'a gate is on distinct qubits of the state');
    mask |= bit;
  }
  return mask;
}
