import { numpy as np, random } from '@jax-js/jax';
import {
  type Affine,
  accuracy,
  crossEntropy,
  dense,
  initialDense,
  type JobDefinition,
  type ParameterTree,
  split,
} from 'tributary';
import { smallDigits } from '../quantum/smallDigits.ts';

/* The two problems on which the pages of docs/methods show and measure every method. */

const side = 7;
const units = 16;
const classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** 4,000 digits of 7 x 7 pixels, a fifth of them for the test. x: float32[49], from 0 to 1; y: int32, the digit. */
const data = split(smallDigits({ classes, perClass: 400, side }), { test: 0.2 });

/** One hidden layer, 970 parameters. */
export const network = classifier(
  (key) => {
    const [key1, key2] = random.split(key);
    return {
      hidden: initialDense(key1, side ** 2, units),
      output: initialDense(key2, units, classes.length),
    };
  },
  ({ hidden, output }: { hidden: Affine; output: Affine }, x) => dense(output, np.tanh(dense(hidden, x))),
);

/** Logistic regression, 500 parameters: the loss is convex. */
export const logistic = classifier((key) => initialDense(key, side ** 2, classes.length), dense);

/** The model in two parts, so that methods may ask for the curvature of either. */
function classifier<Parameters extends ParameterTree>(
  init: (key: np.Array) => Parameters,
  logits: (parameters: Parameters, x: np.Array) => np.Array,
): Pick<JobDefinition<Parameters, 'x' | 'y'>, 'model' | 'data'> {
  return {
    data,
    model: {
      init,
      loss: (parameters, { x, y }) => crossEntropy(logits(parameters, x), y),
      accuracy: (parameters, { x, y }) => accuracy(logits(parameters, x), y),
      outputs: (parameters, { x }) => logits(parameters, x),
      outputLoss: (outputs, { y }) => crossEntropy(outputs, y),
    },
  };
}
