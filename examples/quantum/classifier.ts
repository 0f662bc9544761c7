import { type numpy as np, random } from '@jax-js/jax';
import {
  type Affine,
  accuracy,
  adam,
  crossEntropy,
  defineJob,
  dense,
  hardwareEfficientAnsatz,
  initialDense,
  initialQuantum,
  quantumLayer,
  quantumNaturalGradient,
  quantumStates,
  split,
} from 'tributary';
import { smallDigits } from './smallDigits.ts';

type Parameters = { readonly circuit: np.Array; readonly head: Affine };

const side = 4;
/** 4 qubits and 4 layers: every one of the 16 pixels turns one qubit, in one layer. */
const ansatz = hardwareEfficientAnsatz({ qubits: 4, layers: 4, inputs: side * side });

/** Threes and sixes of 4 x 4 pixels by a simulated circuit of four qubits and a linear head. */
export default defineJob(
  {
    optimizer: ['adam', 'quantum-natural-gradient'],
    differentiation: ['autodiff', 'parameter-shift'],
  },
  ({ optimizer, differentiation }) => {
    const logits = ({ circuit, head }: Parameters, x: np.Array) =>
      dense(head, quantumLayer(ansatz, circuit, x.mul(Math.PI), { differentiation }));
    return {
      name: 'quantum-classifier',
      model: {
        init(key): Parameters {
          const [key1, key2] = random.split(key);
          return { circuit: initialQuantum(key1, ansatz), head: initialDense(key2, 4, 2) };
        },
        loss: (parameters: Parameters, { x, y }) => crossEntropy(logits(parameters, x), y),
        accuracy: (parameters: Parameters, { x, y }) => accuracy(logits(parameters, x), y),
        states: ({ circuit, head }: Parameters, { x, y }) => {
          y.dispose();
          head.w.dispose();
          head.b.dispose();
          return quantumStates(ansatz, circuit, x.mul(Math.PI));
        },
      },
      data: split(smallDigits({ classes: [3, 6], perClass: 500, side }), { test: 0.2 }),
      optimizer:
        optimizer === 'adam'
          ? adam({ learningRate: 0.02 })
          : quantumNaturalGradient({ learningRate: 0.2, damping: 0.05 }),
      ranks: 4,
      batchSize: 20,
      epochs: 10,
    };
  },
);
