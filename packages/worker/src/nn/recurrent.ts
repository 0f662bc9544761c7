import { numpy as np, random } from '@jax-js/jax';
import { sigmoid } from './activations.ts';
import { glorotUniform, orthogonal } from './initialisers.ts';

/** Weights from the input [inputs, gates * width] and from the state [width, gates * width], and an offset [gates * width]. */
export type RecurrentParameters = { input: np.Array; state: np.Array; b: np.Array };

function initialRecurrent(key: np.Array, inputs: number, width: number, gates: number): RecurrentParameters {
  const keys = random.split(key, gates + 1);
  const states = Array.from({ length: gates }, (_, gate) =>
    orthogonal(keys.ref.slice(gate + 1), [width, width]),
  );
  return {
    input: glorotUniform(keys.slice(0), [inputs, gates * width]),
    state: np.concatenate(states, 1),
    b: np.zeros([gates * width]),
  };
}

/** Parameters of `lstm`. The forget gate starts open: its offset is 1 (Jozefowicz et al., 2015). */
export function initialLstm(key: np.Array, inputs: number, width: number): RecurrentParameters {
  const { b, ...weights } = initialRecurrent(key, inputs, width, 4);
  b.dispose();
  return { ...weights, b: np.concatenate([np.zeros([width]), np.ones([width]), np.zeros([2 * width])]) };
}

/**
 * A long short-term memory (Hochreiter and Schmidhuber, 1997) over sequences [examples, positions, inputs]: its outputs [examples, positions, width].
 * There are no loops in a traced program, so the steps are written out: compiling takes time in proportion to the length of the sequence.
 */
export function lstm({ input, state, b }: RecurrentParameters, x: np.Array): np.Array {
  const width = state.shape[0];
  let hidden = np.zeros([x.shape[0], width]);
  let cell = np.zeros([x.shape[0], width]);
  return unrolled(np.matmul(x, input).add(b), (fromInput) => {
    const gates = fromInput.add(np.matmul(hidden, state.ref));
    const [enter, forget, leave, candidate] = np.split(gates, 4, 1);
    cell = cell.mul(sigmoid(forget)).add(sigmoid(enter).mul(np.tanh(candidate)));
    hidden = sigmoid(leave).mul(np.tanh(cell.ref));
    return hidden.ref;
  });
}

export function initialGru(key: np.Array, inputs: number, width: number): RecurrentParameters {
  return initialRecurrent(key, inputs, width, 3);
}

/** A gated recurrent unit (Cho et al., 2014), the reset gate applied after the product as in cuDNN and PyTorch. Shapes as for `lstm`. */
export function gru({ input, state, b }: RecurrentParameters, x: np.Array): np.Array {
  const width = state.shape[0];
  let hidden = np.zeros([x.shape[0], width]);
  return unrolled(np.matmul(x, input).add(b), (fromInput) => {
    const [resetIn, updateIn, candidateIn] = np.split(fromInput, 3, 1);
    const [resetState, updateState, candidateState] = np.split(np.matmul(hidden.ref, state.ref), 3, 1);
    const reset = sigmoid(resetIn.add(resetState));
    const update = sigmoid(updateIn.add(updateState));
    const candidate = np.tanh(candidateIn.add(reset.mul(candidateState)));
    hidden = candidate.ref.add(update.mul(hidden.sub(candidate)));
    return hidden.ref;
  });
}

/** Calls `step` with the gates' inputs at each position, and stacks what it returns. */
function unrolled(gates: np.Array, step: (fromInput: np.Array) => np.Array): np.Array {
  const outputs = Array.from({ length: gates.shape[1] }, (_, position) =>
    step(gates.ref.slice([], position)),
  );
  gates.dispose();
  return np.stack(outputs, 1);
}
