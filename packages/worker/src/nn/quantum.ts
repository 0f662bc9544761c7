import { lax, numpy as np, random } from '@jax-js/jax';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Ansatz } from '@tributary/core/quantum/circuit/Ansatz.ts';
import { generators, type Operation } from '@tributary/core/quantum/circuit/Circuit.ts';
import type { Gate } from '@tributary/core/quantum/state/gates.ts';
import { bitCount, type PauliSum, pauliString } from '@tributary/core/quantum/state/pauli.ts';

/*
 * A simulated circuit as a layer of a model. States are real arrays [examples, 2, 2^qubits], the real parts and then the imaginary ones, so that jax-js can differentiate
 * them and any backend can run them. A gate on one qubit multiplies every amplitude by one number, and adds its partner, which differs in that qubit, times another: with
 * constants for both that is a flip, two products and a sum, for all examples at once.
 */

export interface QuantumOptions {
  /** What is measured: sums of products of Z. By default Z of every qubit. */
  readonly observables?: readonly PauliSum[];
  /**
   * `autodiff` goes through the simulated state, which only a simulator has. `parameter-shift` takes 2 runs for every angle, as on a device (Schuld et al., 2019), and the same
   * gradient to rounding; it has no second derivatives.
   */
  readonly differentiation?: 'autodiff' | 'parameter-shift';
}

/** Parameters of `quantumLayer`: angles drawn around 0, and weights of the inputs around 1. */
export function initialQuantum(key: np.Array, ansatz: Ansatz): np.Array {
  const centre = new Float32Array(ansatz.parameters);
  for (const { data } of ansatz.angles) if (data !== undefined) centre[data.weight] = 1;
  return random
    .normal(key, [ansatz.parameters])
    .mul(0.3)
    .add(constant(centre, [ansatz.parameters]));
}

/**
 * The expectation of every observable, [examples, observables], for inputs `x` [examples, inputs]. It costs 2^qubits numbers for each gate and example; `parameter-shift` that
 * times 2 angles + 1. Throws INVALID_ARGUMENT for inputs that are not the ansatz's, and for another `differentiation`.
 */
export function quantumLayer(
  ansatz: Ansatz,
  parameters: np.Array,
  x: np.Array,
  { observables, differentiation = 'autodiff' }: QuantumOptions = {},
): np.Array {
  if (differentiation !== 'autodiff' && differentiation !== 'parameter-shift') {
    throw new TributaryError('INVALID_ARGUMENT', `differentiation is ${JSON.stringify(differentiation)}`, {
      hint: 'It must be autodiff or parameter-shift.',
    });
  }
  const measured = measurement(ansatz.circuit.qubits, observables);
  const outputs = (angles: np.Array) => expectations(statesOf(ansatz, angles), measured);
  const angles = anglesOf(ansatz, parameters, x);
  return differentiation === 'autodiff' ? outputs(angles) : shifted(angles, outputs);
}

/** The states before the measurement, [examples, 2, 2^qubits]: what the Fubini-Study metric of `quantumNaturalGradient` is taken of. */
export function quantumStates(ansatz: Ansatz, parameters: np.Array, x: np.Array): np.Array {
  return statesOf(ansatz, anglesOf(ansatz, parameters, x));
}

/** [examples, angles]: bias + weight x input, by products with matrices of zeros and ones. */
function anglesOf(
  { angles, parameters: count, inputs }: Ansatz,
  parameters: np.Array,
  x: np.Array,
): np.Array {
  if (x.ndim !== 2 || x.shape[1] !== inputs) {
    throw new TributaryError(
      'INVALID_ARGUMENT',
      `a quantum layer of ${inputs} inputs is given an array of the shape [${x.shape.join(', ')}]`,
      { hint: `It takes [examples, ${inputs}].` },
    );
  }
  const select = (rows: number, rowOf: (angle: Ansatz['angles'][number]) => number | undefined) => {
    const matrix = new Float32Array(rows * angles.length);
    angles.forEach((angle, column) => {
      const row = rowOf(angle);
      if (row !== undefined) matrix[row * angles.length + column] = 1;
    });
    return constant(matrix, [rows, angles.length]);
  };
  const biases = np.matmul(
    parameters.ref,
    select(count, ({ bias }) => bias),
  );
  const weights = np.matmul(
    parameters,
    select(count, ({ data }) => data?.weight),
  );
  return np
    .matmul(
      x,
      select(inputs, ({ data }) => data?.input),
    )
    .mul(weights)
    .add(biases);
}

function statesOf({ circuit: { qubits, operations } }: Ansatz, angles: np.Array): np.Array {
  const [examples, count] = angles.shape;
  const half = angles.mul(0.5);
  const cosines = np.cos(half.ref);
  const sines = np.sin(half);
  const ofAngle = (values: np.Array, angle: number) =>
    np.matmul(values.ref, unit(count, angle)).reshape([examples, 1, 1]);
  const start = new Float32Array(2 ** (qubits + 1));
  start[0] = 1;
  let states = np.broadcastTo(constant(start, [1, 2, 2 ** qubits]), [examples, 2, 2 ** qubits]);
  for (const operation of operations) {
    if (operation.kind === 'gate') {
      states = applyGate(states, operation, qubits);
      continue;
    }
    // exp(-i angle P / 2) = cos(angle / 2) - i sin(angle / 2) P
    const { axis, qubit, angle } = operation;
    const [ar, ai, br, bi, cr, ci, dr, di] = generators[axis];
    const turned: Gate = [ai, -ar, bi, -br, ci, -cr, di, -dr];
    const other = applyGate(states.ref, { gate: turned, qubit, controls: [] }, qubits);
    states = states.mul(ofAngle(cosines, angle)).add(other.mul(ofAngle(sines, angle)));
  }
  cosines.dispose();
  sines.dispose();
  return states;
}

/** A fixed gate, or any 2 x 2 matrix, where all control qubits are 1. */
function applyGate(
  states: np.Array,
  { gate, qubit, controls }: Pick<Extract<Operation, { kind: 'gate' }>, 'gate' | 'qubit' | 'controls'>,
  qubits: number,
): np.Array {
  const size = 2 ** qubits;
  const bit = 1 << qubit;
  const control = controls.reduce((mask, each) => mask | (1 << each), 0);
  // Of every amplitude: its own factor, and its partner's, real and imaginary.
  const factors = Array.from({ length: 4 }, () => new Float32Array(size));
  for (let b = 0; b < size; b++) {
    const applies = (b & control) === control;
    const row = (b & bit) === 0 ? 0 : 4;
    const own = row === 0 ? 0 : 6;
    const partner = row === 0 ? 2 : 4;
    factors[0][b] = applies ? gate[own] : 1;
    factors[1][b] = applies ? gate[own + 1] : 0;
    factors[2][b] = applies ? gate[partner] : 0;
    factors[3][b] = applies ? gate[partner + 1] : 0;
  }
  const terms = factors.flatMap((factor, index) => {
    if (factor.every((value) => value === 0)) return [];
    const moved = index < 2 ? states.ref : partners(states.ref, qubit, qubits);
    const turned = index % 2 === 0 ? moved : timesI(moved);
    return [turned.mul(constant(factor, [size]))];
  });
  states.dispose();
  return terms.reduce((sum, term) => sum.add(term));
}

/** Every amplitude in the place of the one that differs in this qubit. */
function partners(states: np.Array, qubit: number, qubits: number): np.Array {
  const { shape } = states;
  const apart = states.reshape([shape[0], 2, 2 ** (qubits - 1 - qubit), 2, 2 ** qubit]);
  return np.flip(apart, 3).reshape(shape);
}

/** Times i: (re, im) becomes (-im, re). */
function timesI(states: np.Array): np.Array {
  return np.flip(states, 1).mul(constant(Float32Array.of(-1, 1), [2, 1]));
}

/** The diagonals of the observables, [2^qubits, observables]. */
function measurement(qubits: number, given: QuantumOptions['observables']): np.Array {
  const observables =
    given ??
    Array.from({ length: qubits }, (_, qubit) => [{ coefficient: 1, string: pauliString(`Z${qubit}`) }]);
  const diagonals = new Float32Array(2 ** qubits * observables.length);
  observables.forEach((observable, column) => {
    for (const { coefficient, string } of observable) {
      invariant(string.x === 0, 'a layer measures products of Z: turn the qubit before, to measure X or Y');
      for (let b = 0; b < 2 ** qubits; b++) {
        const sign = bitCount(b & string.z) % 2 === 0 ? 1 : -1;
        diagonals[b * observables.length + column] += sign * coefficient;
      }
    }
  });
  return constant(diagonals, [2 ** qubits, observables.length]);
}

function expectations(states: np.Array, measured: np.Array): np.Array {
  return np.matmul(np.square(states).sum(1), measured.ref);
}

/**
 * The outputs, with the derivatives of the parameter-shift rule, d f / d angle = (f(angle + pi/2) - f(angle - pi/2)) / 2: to jax-js they are a linear function
 * of the angles that has this value and this slope here.
 */
function shifted(angles: np.Array, outputs: (angles: np.Array) => np.Array): np.Array {
  const [examples, count] = angles.shape;
  const here = lax.stopGradient(angles.ref);
  const run = (shift: number) => {
    const shifts = np.eye(count).mul(shift);
    const all = here.ref
      .reshape([examples, 1, count])
      .add(shifts)
      .reshape([examples * count, count]);
    return outputs(all);
  };
  const slopes = run(Math.PI / 2)
    .sub(run(-Math.PI / 2))
    .mul(0.5)
    .reshape([examples, count, -1]);
  const moved = angles.sub(here.ref).reshape([examples, 1, count]);
  const value = outputs(here);
  return value.add(np.matmul(moved, slopes).reshape(value.shape));
}

/** A column that selects one of `count` numbers. */
function unit(count: number, at: number): np.Array {
  const column = new Float32Array(count);
  column[at] = 1;
  return constant(column, [count, 1]);
}

function constant(values: Float32Array<ArrayBuffer>, shape: number[]): np.Array {
  return np.array(values, { shape, dtype: np.float32 });
}
