/** Complex matrices as rows of [real, imaginary]: slow, obvious, and apart from the simulator. */
export type Complex = readonly [number, number];
export type Matrix = Complex[][];

export const identity: Matrix = [
  [
    [1, 0],
    [0, 0],
  ],
  [
    [0, 0],
    [1, 0],
  ],
];
/** |1><1|. */
const one: Matrix = [
  [
    [0, 0],
    [0, 0],
  ],
  [
    [0, 0],
    [1, 0],
  ],
];

/** From the flat numbers of a gate. */
export function matrixOf(gate: readonly number[]): Matrix {
  const n = Math.sqrt(gate.length / 2);
  return Array.from({ length: n }, (_, row) =>
    Array.from({ length: n }, (_, column) => [
      gate[2 * (row * n + column)],
      gate[2 * (row * n + column) + 1],
    ]),
  );
}

export const times = ([ar, ai]: Complex, [br, bi]: Complex): Complex => [
  ar * br - ai * bi,
  ar * bi + ai * br,
];
export const plus = ([ar, ai]: Complex, [br, bi]: Complex): Complex => [ar + br, ai + bi];

export function add(a: Matrix, b: Matrix, factor = 1): Matrix {
  return a.map((row, i) => row.map((entry, j) => plus(entry, times([factor, 0], b[i][j]))));
}

export function kronecker(a: Matrix, b: Matrix): Matrix {
  return a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((x) => rowB.map((y) => times(x, y)))));
}

/** The product of one matrix for each qubit; qubit 0 is the lowest bit, the last factor. */
export function onQubits(qubits: number, factors: ReadonlyMap<number, Matrix>): Matrix {
  let product: Matrix = [[[1, 0]]];
  for (let qubit = qubits - 1; qubit >= 0; qubit--) {
    product = kronecker(product, factors.get(qubit) ?? identity);
  }
  return product;
}

/** I - P + P U with P the projector on "all controls are 1". */
export function controlled(
  qubits: number,
  gate: Matrix,
  target: number,
  controls: readonly number[],
): Matrix {
  const projectors = new Map(controls.map((control) => [control, one]));
  const everything = onQubits(qubits, new Map());
  const projector = onQubits(qubits, projectors);
  return add(add(everything, projector, -1), onQubits(qubits, new Map([...projectors, [target, gate]])));
}

/** A two-qubit matrix as a sum over its 2x2 blocks of (unit matrix on the second qubit) x (block on the first). */
export function onPair(qubits: number, gate: Matrix, first: number, second: number): Matrix {
  let sum = add(onQubits(qubits, new Map()), onQubits(qubits, new Map()), -1);
  for (const row of [0, 1]) {
    for (const column of [0, 1]) {
      const unit: Matrix = [0, 1].map((i) => [0, 1].map((j) => [i === row && j === column ? 1 : 0, 0]));
      const block = [0, 1].map((i) => [0, 1].map((j) => gate[2 * row + i][2 * column + j]));
      sum = add(
        sum,
        onQubits(
          qubits,
          new Map([
            [second, unit],
            [first, block],
          ]),
        ),
      );
    }
  }
  return sum;
}

export function apply(matrix: Matrix, vector: readonly Complex[]): Complex[] {
  return matrix.map((row) =>
    row.reduce((sum: Complex, entry, j) => plus(sum, times(entry, vector[j])), [0, 0] as Complex),
  );
}
