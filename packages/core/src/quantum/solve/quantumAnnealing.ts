import type { RandomSource } from '../../random/uniforms.ts';
import { type Ising, isingEnergy } from '../ising/Ising.ts';
import { descend } from './descend.ts';
import type { Solution } from './exactMinimum.ts';

export interface AnnealingOptions {
  /** Trotter slices: copies of the system along imaginary time. More are nearer to the quantum system, and colder. */
  readonly slices: number;
  /** Passes over all spins while the transverse field falls to zero. */
  readonly sweeps: number;
}

/**
 * Simulated quantum annealing. A transverse field lets every qubit be in both states; as it falls to zero, the ground state of the Hamiltonian is left over, reached by tunnelling
 * through barriers where simulated annealing must climb (Kadowaki & Nishimori, "Quantum annealing in the transverse Ising model", 1998).
 *
 * Hundreds of qubits have no state vector, but at a temperature T the Suzuki-Trotter formula turns them into P coupled classical copies of the spins, to be sampled by Monte Carlo:
 * each copy has the Ising energy, each spin is tied to itself in the next and previous copy by
 *
 *   tie = -(P T / 2) ln tanh(field / (P T)),
 *
 * and the whole is at temperature P T. A strong field leaves the copies loose; as it falls they become one. (Martonak, Santoro & Tosatti, "Quantum annealing by
 * the path-integral Monte Carlo method: The two-dimensional random Ising model", 2002, with its local and global moves and its linear schedule.)
 * The best copy ever seen is taken and descended to its local minimum.
 */
export function quantumAnnealing(
  ising: Ising,
  { slices, sweeps }: AnnealingOptions,
  random: RandomSource,
): Solution {
  const { size } = ising;
  const copies = createCopies(ising, slices, random);
  const energyScale = typicalField(ising);
  const temperature = copyTemperature * energyScale;
  const best = { bits: new Uint8Array(size), energy: Number.POSITIVE_INFINITY };

  for (let sweep = 0; sweep < sweeps; sweep++) {
    const field = firstField * energyScale * (1 - sweep / sweeps);
    const tie = (-temperature / 2) * Math.log(Math.tanh(field / temperature));
    for (let copy = 0; copy < slices; copy++) localMoves(copies, copy, tie, temperature, random);
    globalMoves(copies, temperature, random);
    for (let copy = 0; copy < slices; copy++) {
      if (copies.energies[copy] >= best.energy) continue;
      best.energy = copies.energies[copy];
      for (let u = 0; u < size; u++) best.bits[u] = (1 - copies.spins[copy * size + u]) / 2;
    }
  }
  descend(ising, best.bits);
  return { bits: best.bits, energy: isingEnergy(ising, best.bits) };
}

/** In units of the typical local field: the transverse field at the start, strong enough that the copies are independent, and P T, at which one copy is disordered. */
const firstField = 3;
const copyTemperature = 1;

interface Copies {
  readonly ising: Ising;
  readonly slices: number;
  /** +1 or -1, copy after copy. */
  readonly spins: Int8Array;
  /** The local field of every spin: field_u + sum_v coupling_uv z_v in its copy. Kept with every flip. */
  readonly locals: Float64Array;
  /** The energy of every copy but for the constant. Kept with every flip. */
  readonly energies: Float64Array;
}

function createCopies(ising: Ising, slices: number, random: RandomSource): Copies {
  const { size, field, coupling } = ising;
  const spins = Int8Array.from({ length: slices * size }, () => (random() < 0.5 ? 1 : -1));
  const locals = new Float64Array(slices * size);
  const energies = new Float64Array(slices);
  for (let at = 0; at < locals.length; at++) {
    const u = at % size;
    const copy = at - u;
    let pairs = 0;
    for (let v = 0; v < size; v++) pairs += coupling[u * size + v] * spins[copy + v];
    locals[at] = field[u] + pairs;
    // Each pair is met from both of its ends.
    energies[copy / size] += spins[at] * (field[u] + pairs / 2);
  }
  return { ising, slices, spins, locals, energies };
}

/** Tries to flip each spin of one copy (Metropolis). */
function localMoves(
  copies: Copies,
  copy: number,
  tie: number,
  temperature: number,
  random: RandomSource,
): void {
  const { slices, spins, locals, ising } = copies;
  const { size } = ising;
  const here = copy * size;
  const next = ((copy + 1) % slices) * size;
  const previous = ((copy + slices - 1) % slices) * size;
  for (let u = 0; u < size; u++) {
    const spin = spins[here + u];
    const neighbours = spins[next + u] + spins[previous + u];
    const change = 2 * spin * (tie * neighbours - locals[here + u]);
    if (change <= 0 || random() < Math.exp(-change / temperature)) flip(copies, copy, u);
  }
}

/** Tries to flip each spin in all copies at once, which leaves the ties as they are: what moves the copies once they are one. */
function globalMoves(copies: Copies, temperature: number, random: RandomSource): void {
  const { slices, spins, locals, ising } = copies;
  const { size } = ising;
  for (let u = 0; u < size; u++) {
    let change = 0;
    for (let at = u; at < spins.length; at += size) change -= 2 * spins[at] * locals[at];
    if (change > 0 && random() >= Math.exp(-change / temperature)) continue;
    for (let copy = 0; copy < slices; copy++) flip(copies, copy, u);
  }
}

function flip({ ising: { size, coupling }, spins, locals, energies }: Copies, copy: number, u: number): void {
  const here = copy * size;
  const row = u * size;
  const turned = -2 * spins[here + u];
  energies[copy] += turned * locals[here + u];
  spins[here + u] = -spins[here + u];
  for (let v = 0; v < size; v++) locals[here + v] += coupling[row + v] * turned;
}

/** The root mean square over the spins of the field that random neighbours make. */
function typicalField({ size, field, coupling }: Ising): number {
  let sum = 0;
  for (const x of field) sum += x * x;
  for (const x of coupling) sum += x * x;
  return sum === 0 ? 1 : Math.sqrt(sum / size);
}
