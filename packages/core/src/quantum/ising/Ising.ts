import { invariant } from '../../errors/invariant.ts';
import { limits } from '../../limits/limits.ts';
import type { Qubo } from './Qubo.ts';

/**
 * The Ising Hamiltonian sum_u field_u Z_u + sum_{u<v} coupling_uv Z_u Z_v + offset, with Z = +1 for bit 0 and -1 for bit 1.
 * `coupling` is symmetric with a zero diagonal, size x size, row by row. Finding its ground state is NP-hard (Barahona 1982), and every QUBO has one:
 * Lucas, "Ising formulations of many NP problems", 2014.
 */
export interface Ising {
  readonly size: number;
  readonly field: Float64Array;
  readonly coupling: Float64Array;
  readonly offset: number;
}

/** The same function of the bits, by x = (1 - z) / 2. */
export function toIsing({ size, matrix, offset }: Qubo): Ising {
  const field = new Float64Array(size);
  const coupling = new Float64Array(size * size);
  let constant = offset;
  for (let u = 0; u < size; u++) {
    constant += matrix[u * size + u] / 2;
    field[u] -= matrix[u * size + u] / 2;
    for (let v = 0; v < size; v++) {
      if (u === v) continue;
      const pair = matrix[u * size + v];
      constant += pair / 4;
      field[u] -= pair / 2;
      coupling[u * size + v] = pair / 2;
    }
  }
  return { size, field, coupling, offset: constant };
}

export function isingEnergy(ising: Ising, bits: Uint8Array): number {
  const { size, field, coupling, offset } = ising;
  let energy = offset;
  for (let u = 0; u < size; u++) {
    let local = field[u];
    for (let v = 0; v < u; v++) local += coupling[u * size + v] * (1 - 2 * bits[v]);
    energy += local * (1 - 2 * bits[u]);
  }
  return energy;
}

/**
 * The energy of every basis state, 2^size numbers: the diagonal of the Hamiltonian. Two additions a state: with the energies of the first 2^u states known, the next
 * 2^u have bit u set too, which changes them by -2 times the local field of qubit u, and that field is built up in the same way.
 */
export function isingEnergies({ size, field, coupling, offset }: Ising): Float64Array {
  invariant(size <= limits.qubitsMax, `the energies of all states of ${size} qubits`);
  const energies = new Float64Array(2 ** size);
  const locals = new Float64Array(2 ** Math.max(0, size - 1));
  energies[0] = offset;
  for (let u = 0; u < size; u++) {
    energies[0] += field[u];
    for (let v = 0; v < u; v++) energies[0] += coupling[u * size + v];
  }
  for (let u = 0; u < size; u++) {
    locals[0] = field[u];
    for (let v = 0; v < size; v++) locals[0] += coupling[u * size + v];
    for (let v = 0; v < u; v++) {
      const change = -2 * coupling[u * size + v];
      for (let b = 0; b < 2 ** v; b++) locals[2 ** v + b] = locals[b] + change;
    }
    for (let b = 0; b < 2 ** u; b++) energies[2 ** u + b] = energies[b] - 2 * locals[b];
  }
  return energies;
}

/** A basis state as bits: qubit u at place u. */
export function bitsOf(basisState: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, u) => (basisState >>> u) & 1);
}
