/**
 * A one-qubit gate: the 2x2 matrix row by row, each entry as real, imaginary.
 * The names and conventions are those of Nielsen & Chuang, "Quantum Computation and Quantum Information", 2010, chapter 4.
 */
export type Gate = readonly [number, number, number, number, number, number, number, number];

const half = Math.SQRT1_2;

export const hadamard: Gate = [half, 0, half, 0, half, 0, -half, 0];
export const pauliX: Gate = [0, 0, 1, 0, 1, 0, 0, 0];
export const pauliY: Gate = [0, 0, 0, -1, 0, 1, 0, 0];
export const pauliZ: Gate = [1, 0, 0, 0, 0, 0, -1, 0];
/** Square root of Z. */
export const sGate: Gate = [1, 0, 0, 0, 0, 0, 0, 1];
/** Square root of S. */
export const tGate: Gate = [1, 0, 0, 0, 0, 0, half, half];

/** exp(-i angle X / 2). */
export function rotationX(angle: number): Gate {
  const c = Math.cos(angle / 2);
  const s = Math.sin(angle / 2);
  return [c, 0, 0, -s, 0, -s, c, 0];
}

/** exp(-i angle Y / 2). */
export function rotationY(angle: number): Gate {
  const c = Math.cos(angle / 2);
  const s = Math.sin(angle / 2);
  return [c, 0, -s, 0, s, 0, c, 0];
}

/** exp(-i angle Z / 2). */
export function rotationZ(angle: number): Gate {
  const c = Math.cos(angle / 2);
  const s = Math.sin(angle / 2);
  return [c, -s, 0, 0, 0, 0, c, s];
}

/** diag(1, exp(i angle)). */
export function phase(angle: number): Gate {
  return [1, 0, 0, 0, 0, 0, Math.cos(angle), Math.sin(angle)];
}

/** The 4x4 matrix of a two-qubit gate row by row, each entry as real, imaginary: 32 numbers. Index 0b10 has the second of its qubits set. */
export type TwoQubitGate = readonly number[];

/** Exchanges two qubits. */
export const swapGate: TwoQubitGate = [
  [1, 0, 0, 0],
  [0, 0, 1, 0],
  [0, 1, 0, 0],
  [0, 0, 0, 1],
].flatMap((row) => row.flatMap((entry) => [entry, 0]));

/** exp(-i angle Z Z / 2). */
export function rotationZZ(angle: number): TwoQubitGate {
  const c = Math.cos(angle / 2);
  const s = Math.sin(angle / 2);
  const gate = new Array<number>(32).fill(0);
  [-s, s, s, -s].forEach((sine, row) => {
    gate[10 * row] = c;
    gate[10 * row + 1] = sine;
  });
  return gate;
}
