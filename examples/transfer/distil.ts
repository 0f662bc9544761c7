import { resolve } from 'node:path';
import { type numpy as np, random } from '@jax-js/jax';
import {
  type Affine,
  accuracy,
  adam,
  crossEntropy,
  defineJob,
  dense,
  distillation,
  initialDense,
  relu,
  withTeacher,
} from 'tributary';
import * as network from './network.ts';
import { task } from './task.ts';

type Parameters = { readonly hidden: Affine; readonly head: Affine };

const logits = ({ hidden, head }: Parameters, x: np.Array) => dense(head, relu(dense(hidden, x)));

/**
 * A student of 16 hidden units learns the digits 0 to 4 from ten images of each: from their labels alone, or with `--teacher` and the run of pretrain.ts also from
 * what that network answers to the same images. `draw` says which ten.
 */
export default defineJob({ teacher: '', draw: 1 }, ({ teacher, draw }) => {
  const { train, test } = task(0, { images: 10, skip: 10 * (draw - 1) });
  const taught = (source: typeof train) =>
    withTeacher(source, {
      from: resolve(teacher),
      model: {
        init: network.model.init,
        logits: (parameters: network.Parameters, { x }) => network.logits(parameters, x),
      },
    });
  const alone = teacher === '';
  return {
    model: {
      init(key): Parameters {
        const [key1, key2] = random.split(key);
        return { hidden: initialDense(key1, 784, 16), head: initialDense(key2, 16, 5) };
      },
      loss: (parameters: Parameters, { x, y, teacher: answers }) =>
        alone
          ? crossEntropy(logits(parameters, x), y)
          : distillation(logits(parameters, x), answers, y, { temperature: 4 }),
      accuracy: (parameters: Parameters, { x, y }) => accuracy(logits(parameters, x), y),
    },
    data: alone ? { train, test } : { train: taught(train), test: taught(test) },
    optimizer: adam({ learningRate: 5e-3 }),
    sampling: 'full',
    ranks: 2,
    steps: 60,
    evaluateEverySteps: 0,
  };
});
