import type { Ising } from '@tributary/core/quantum/ising/Ising.ts';
import { createUniforms } from '@tributary/core/random/uniforms.ts';

/** Fields and couplings uniform in [-1, 1), the latter with the given probability, else 0. */
export function randomIsing(size: number, seed: number, density = 1): Ising {
  const random = createUniforms(seed);
  const field = Float64Array.from({ length: size }, () => 2 * random() - 1);
  return {
    size,
    field,
    coupling: symmetric(size, () => (random() < density ? 2 * random() - 1 : 0)),
    offset: 0,
  };
}

/** Spins on a ring that like to be equal: the ground states are all 0 and all 1, with energy -size. */
export function ferromagneticRing(size: number): Ising {
  const coupling = symmetric(size, (u, v) =>
    (u - v + size) % size === 1 || (v - u + size) % size === 1 ? -1 : 0,
  );
  return { size, field: new Float64Array(size), coupling, offset: 0 };
}

/**
 * A frustrated problem whose ground state is known: loops of spins whose couplings suit a hidden state but for one each, so that every loop has its least energy there, and so has
 * the sum. (Hen et al., "Probing for quantum speedup in spin-glass problems with planted solutions", 2015.)
 */
export function plantedIsing(size: number, loops: number, seed: number): { ising: Ising; energy: number } {
  const random = createUniforms(seed);
  const hidden = Array.from({ length: size }, () => (random() < 0.5 ? -1 : 1));
  const coupling = new Float64Array(size * size);
  let energy = 0;
  for (let loop = 0; loop < loops; loop++) {
    const length = 4 + Math.floor(3 * random());
    const members = new Set<number>();
    while (members.size < length) members.add(Math.floor(size * random()));
    [...members].forEach((u, i, all) => {
      const v = all[(i + 1) % length];
      const suits = -hidden[u] * hidden[v];
      const pair = i === 0 ? -suits : suits;
      coupling[u * size + v] += pair;
      coupling[v * size + u] += pair;
    });
    energy -= length - 2;
  }
  return { ising: { size, field: new Float64Array(size), coupling, offset: 0 }, energy };
}

function symmetric(size: number, entry: (u: number, v: number) => number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let u = 0; u < size; u++) {
    for (let v = 0; v < u; v++) matrix[u * size + v] = matrix[v * size + u] = entry(u, v);
  }
  return matrix;
}
