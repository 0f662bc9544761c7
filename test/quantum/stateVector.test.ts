import { readFileSync } from 'node:fs';
import { applyDiagonalPhase, applyGate, applyTwoQubitGate } from '@tributary/core/quantum/state/applyGate.ts';
import * as gates from '@tributary/core/quantum/state/gates.ts';
import { diagonalExpectation, expectation, pauliString } from '@tributary/core/quantum/state/pauli.ts';
import {
  innerProduct,
  type StateVector,
  squaredNorm,
  uniformState,
  zeroState,
} from '@tributary/core/quantum/state/StateVector.ts';
import { sample } from '@tributary/core/quantum/state/sample.ts';
import { createUniforms, type RandomSource } from '@tributary/core/random/uniforms.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileKernels, gateModuleFile } from '../../scripts/kernels.ts';
import * as dense from './dense.ts';

const { hadamard, pauliX, pauliY, pauliZ, phase } = gates;

/** One gate on some qubits of n, for the simulator and as a dense matrix. */
interface Action {
  readonly name: string;
  readonly run: (state: StateVector) => void;
  readonly matrix: dense.Matrix;
}

function randomAction(qubits: number, random: RandomSource): Action {
  const angle = 2 * Math.PI * random();
  const pick = (n: number) => Math.floor(random() * n);
  const order = Array.from({ length: qubits }, (_, q) => ({ q, key: random() })).sort(
    (a, b) => a.key - b.key,
  );
  const [target, ...others] = order.map(({ q }) => q);
  if (qubits > 1 && pick(4) === 0) {
    const gate = pick(2) === 0 ? gates.swapGate : gates.rotationZZ(angle);
    return {
      name: `pair ${target} ${others[0]}`,
      run: (state) => applyTwoQubitGate(state, gate, target, others[0]),
      matrix: dense.onPair(qubits, dense.matrixOf(gate), target, others[0]),
    };
  }
  const gate = [
    hadamard,
    pauliX,
    pauliY,
    pauliZ,
    gates.sGate,
    gates.tGate,
    phase(angle),
    gates.rotationX(angle),
    gates.rotationY(angle),
    gates.rotationZ(angle),
  ][pick(10)];
  const controls = others.slice(0, pick(Math.min(3, others.length + 1)));
  return {
    name: `${target} by ${controls}`,
    run: (state) => applyGate(state, gate, target, controls),
    matrix: dense.controlled(qubits, dense.matrixOf(gate), target, controls),
  };
}

const circuits = fc.record({
  qubits: fc.integer({ min: 1, max: 6 }),
  gates: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(),
});

test('a circuit makes the state that dense matrices make, and keeps its norm', () => {
  fc.assert(
    fc.property(circuits, ({ qubits, gates: count, seed }) => {
      const random = createUniforms(seed);
      const state = zeroState(qubits);
      let vector: dense.Complex[] = Array.from(state.re, (re, i) => [re, state.im[i]]);
      for (let i = 0; i < count; i++) {
        const action = randomAction(qubits, random);
        action.run(state);
        vector = dense.apply(action.matrix, vector);
      }
      vector.forEach(([re, im], b) => {
        expect(state.re[b]).toBeCloseTo(re, 12);
        expect(state.im[b]).toBeCloseTo(im, 12);
      });
      expect(squaredNorm(state)).toBeCloseTo(1, 12);
    }),
    { numRuns: 60 },
  );
});

test('gates keep inner products', () => {
  fc.assert(
    fc.property(circuits, ({ qubits, gates: count, seed }) => {
      const random = createUniforms(seed);
      const states = [zeroState(qubits), uniformState(qubits)];
      for (const state of states) for (let i = 0; i < 4; i++) randomAction(qubits, random).run(state);
      const before = innerProduct(states[0], states[1]);
      for (let i = 0; i < count; i++) {
        const { run } = randomAction(qubits, random);
        for (const state of states) run(state);
      }
      const after = innerProduct(states[0], states[1]);
      expect(after[0]).toBeCloseTo(before[0], 12);
      expect(after[1]).toBeCloseTo(before[1], 12);
    }),
    { numRuns: 60 },
  );
});

test('expectations of Pauli sums are those of their dense matrices', () => {
  const paulis = { I: dense.identity, X: pauliX, Y: pauliY, Z: pauliZ };
  fc.assert(
    fc.property(circuits, ({ qubits, seed }) => {
      const random = createUniforms(seed);
      const state = zeroState(qubits);
      for (let i = 0; i < 10; i++) randomAction(qubits, random).run(state);
      const vector: dense.Complex[] = Array.from(state.re, (re, i) => [re, state.im[i]]);
      const sum = Array.from({ length: 3 }, () => {
        const letters = Array.from(
          { length: qubits },
          () => 'IXYZ'[Math.floor(4 * random())] as keyof typeof paulis,
        );
        return { coefficient: 2 * random() - 1, letters };
      });
      let expected = 0;
      for (const { coefficient, letters } of sum) {
        const factors = letters.map((letter, q) => {
          const matrix = paulis[letter];
          return [q, letter === 'I' ? dense.identity : dense.matrixOf(matrix as readonly number[])] as const;
        });
        const image = dense.apply(dense.onQubits(qubits, new Map(factors)), vector);
        image.forEach(([re, im], b) => {
          expected += coefficient * (vector[b][0] * re + vector[b][1] * im);
        });
      }
      const text = (letters: string[]) =>
        letters.flatMap((l, q) => (l === 'I' ? [] : [`${l}${q}`])).join(' ');
      const operator = sum.map(({ coefficient, letters }) => ({
        coefficient,
        string: pauliString(text(letters)),
      }));
      expect(expectation(state, operator)).toBeCloseTo(expected, 12);
    }),
    { numRuns: 60 },
  );
});

test('a Bell pair is correlated along Z and X and anticorrelated along Y', () => {
  const bell = zeroState(2);
  applyGate(bell, hadamard, 0);
  applyGate(bell, pauliX, 1, [0]);
  expect(Array.from(bell.re)).toEqual([Math.SQRT1_2, 0, 0, Math.SQRT1_2]);
  const value = (text: string) => expectation(bell, [{ coefficient: 1, string: pauliString(text) }]);
  expect(value('Z0')).toBeCloseTo(0, 15);
  expect(value('Z0 Z1')).toBeCloseTo(1, 15);
  expect(value('X0 X1')).toBeCloseTo(1, 15);
  expect(value('Y0 Y1')).toBeCloseTo(-1, 15);
});

test('samples of a GHZ state are all zeros or all ones, half each, and the same for the same seed', () => {
  const ghz = zeroState(5);
  applyGate(ghz, hadamard, 0);
  for (let qubit = 1; qubit < 5; qubit++) applyGate(ghz, pauliX, qubit, [qubit - 1]);
  const shots = sample(ghz, 4000, createUniforms(7));
  const ones = shots.filter((b) => b === 31).length;
  expect(shots.filter((b) => b === 0).length).toBe(4000 - ones);
  // Four standard deviations of 4000 fair coins.
  expect(Math.abs(ones - 2000)).toBeLessThan(127);
  expect(sample(ghz, 4000, createUniforms(7))).toEqual(shots);
  expect(sample(ghz, 4000, createUniforms(8))).not.toEqual(shots);
});

test('the quantum Fourier transform of a basis state is a plane wave', () => {
  const qubits = 5;
  const size = 2 ** qubits;
  for (const start of [0, 1, 11, 31]) {
    const state = zeroState(qubits);
    for (let q = 0; q < qubits; q++) if ((start >> q) & 1) applyGate(state, pauliX, q);
    for (let q = qubits - 1; q >= 0; q--) {
      applyGate(state, hadamard, q);
      for (let c = q - 1; c >= 0; c--) applyGate(state, phase(Math.PI / 2 ** (q - c)), q, [c]);
    }
    for (let q = 0; q < qubits - 1 - q; q++) applyTwoQubitGate(state, gates.swapGate, q, qubits - 1 - q);
    for (let k = 0; k < size; k++) {
      expect(state.re[k]).toBeCloseTo(Math.cos((2 * Math.PI * start * k) / size) / Math.sqrt(size), 12);
      expect(state.im[k]).toBeCloseTo(Math.sin((2 * Math.PI * start * k) / size) / Math.sqrt(size), 12);
    }
  }
});

test("Grover's search on 3 qubits finds the marked state with the known probability", () => {
  for (const marked of [0, 5, 7]) {
    const state = uniformState(3);
    const flip = (b: number) => {
      for (let q = 0; q < 3; q++) if (((b >> q) & 1) === 0) applyGate(state, pauliX, q);
      applyGate(state, pauliZ, 2, [0, 1]);
      for (let q = 0; q < 3; q++) if (((b >> q) & 1) === 0) applyGate(state, pauliX, q);
    };
    for (let round = 0; round < 2; round++) {
      flip(marked);
      for (let q = 0; q < 3; q++) applyGate(state, hadamard, q);
      flip(0);
      for (let q = 0; q < 3; q++) applyGate(state, hadamard, q);
    }
    // sin^2(5 arcsin(1 / sqrt 8)) = 121/128
    expect(state.re[marked] ** 2 + state.im[marked] ** 2).toBeCloseTo(121 / 128, 12);
  }
});

test('a diagonal phase is a product of ZZ rotations', () => {
  const state = zeroState(3);
  for (let q = 0; q < 3; q++) applyGate(state, gates.rotationY(0.3 + q), q);
  const other = { ...state, re: state.re.slice(), im: state.im.slice() };
  const z = (b: number, q: number) => 1 - 2 * ((b >> q) & 1);
  const energies = Float64Array.from(
    { length: 8 },
    (_, b) => 0.7 * z(b, 0) * z(b, 1) - 1.1 * z(b, 1) * z(b, 2),
  );
  applyDiagonalPhase(state, energies, 0.4);
  applyTwoQubitGate(other, gates.rotationZZ(2 * 0.4 * 0.7), 0, 1);
  applyTwoQubitGate(other, gates.rotationZZ(2 * 0.4 * -1.1), 1, 2);
  const [real, imaginary] = innerProduct(state, other);
  expect(real).toBeCloseTo(1, 12);
  expect(imaginary).toBeCloseTo(0, 12);
});

test('20 qubits: a GHZ state, its correlations and samples', () => {
  const state = zeroState(20);
  applyGate(state, hadamard, 0);
  for (let q = 1; q < 20; q++) applyGate(state, pauliX, q, [q - 1]);
  for (let q = 0; q < 20; q++) applyGate(state, gates.rotationX(0.1 * q), q);
  for (let q = 0; q < 20; q++) applyGate(state, gates.rotationX(-0.1 * q), q);
  expect(squaredNorm(state)).toBeCloseTo(1, 12);
  expect(expectation(state, [{ coefficient: 1, string: pauliString('Z0 Z19') }])).toBeCloseTo(1, 12);
  const all = pauliString(Array.from({ length: 20 }, (_, q) => `X${q}`).join(' '));
  expect(expectation(state, [{ coefficient: 1, string: all }])).toBeCloseTo(1, 12);
  expect(diagonalExpectation(state, new Float64Array(2 ** 20).fill(3))).toBeCloseTo(3, 12);
  const shots = sample(state, 100, createUniforms(1));
  expect(new Set(shots)).toEqual(new Set([0, 2 ** 20 - 1]));
});

test('the compiled kernel is up to date', () => {
  expect(readFileSync(gateModuleFile, 'utf8')).toBe(compileKernels('assembly/quantum/*.ts'));
});

test('the kernel and the plain loop give the same bits', () => {
  const random = createUniforms(3);
  const state = zeroState(10);
  expect(state.kernel).toBeTypeOf('function');
  for (let b = 0; b < 1024; b++) {
    state.re[b] = random() - 0.5;
    state.im[b] = random() - 0.5;
  }
  const plain = { qubits: 10, re: new Float64Array(state.re), im: new Float64Array(state.im) };
  for (const gate of [
    hadamard,
    pauliY,
    gates.tGate,
    gates.rotationX(0.3),
    gates.rotationY(1),
    gates.rotationZ(2),
  ]) {
    for (let target = 0; target < 10; target++) {
      applyGate(state, gate, target);
      applyGate(plain, gate, target);
      expect(new Float64Array(state.re)).toEqual(plain.re);
      expect(new Float64Array(state.im)).toEqual(plain.im);
    }
  }
});

test('a qubit that is not there, or is used twice, is refused', () => {
  expect(() => applyGate(zeroState(2), hadamard, 2)).toThrow('distinct qubits');
  expect(() => applyGate(zeroState(2), pauliX, 1, [1])).toThrow('distinct qubits');
  expect(() => applyTwoQubitGate(zeroState(2), gates.swapGate, 0, 0)).toThrow('distinct qubits');
  expect(() => pauliString('X0 Z0')).toThrow('the Pauli string "X0 Z0"');
  expect(() => zeroState(25)).toThrow('a state of 25 qubits');
});
