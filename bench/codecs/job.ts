import { accuracy, adam, crossEntropy, defineJob, momentum, sgd, split, topk } from 'tributary';
import { digits } from '../../examples/mnist/digits.ts';
import { cnn } from '../../examples/mnist/networks/cnn.ts';
import { mlp } from '../../examples/mnist/networks/mlp.ts';

const optimizers = {
  adam: adam({ learningRate: 2e-3 }),
  momentum: momentum({ learningRate: 0.05, momentum: 0.9 }),
  sgd: sgd({ learningRate: 0.05 }),
};

/** The digits of the example, in as many ranks as there are workers. `corrected`: top-k with momentum correction, for sgd. */
export default defineJob(
  { model: ['mlp', 'cnn'], optimizer: ['adam', 'momentum', 'sgd'], corrected: false },
  ({ model, optimizer, corrected }) => {
    const { init, logits } = model === 'cnn' ? cnn : mlp;
    return {
      model: {
        init,
        loss: (parameters, { x, y }) => crossEntropy(logits(parameters, x), y),
        accuracy: (parameters, { x, y }) => accuracy(logits(parameters, x), y),
      },
      data: split(digits, { test: 0.2 }),
      optimizer: optimizers[optimizer],
      ...(corrected && { encoding: topk({ momentum: 0.9 }) }),
      ranks: 2,
      batchSize: 64,
      epochs: 5,
      checkpointEverySteps: 0,
    };
  },
);
