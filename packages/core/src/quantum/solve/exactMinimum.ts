import { bitsOf, type Ising, isingEnergies } from '../ising/Ising.ts';

/** A basis state, by its bits, and its energy. */
export interface Solution {
  readonly bits: Uint8Array;
  readonly energy: number;
}

/** The ground state, by trying all 2^size states: the yardstick of the other solvers, and itself the best choice while it is affordable. */
export function exactMinimum(ising: Ising): Solution {
  const energies = isingEnergies(ising);
  let least = 0;
  for (let b = 1; b < energies.length; b++) if (energies[b] < energies[least]) least = b;
  return { bits: bitsOf(least, ising.size), energy: energies[least] };
}
