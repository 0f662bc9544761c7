import { lax, numpy as np } from '@jax-js/jax';
import { adam, defineJob, oneHot, split } from 'tributary';
import { digits } from './digits.ts';
import { cnn } from './networks/cnn.ts';
import { mlp } from './networks/mlp.ts';

/** Of the target, this much is spread over all classes: 8,000 digits are few, and a network that may not be sure of itself errs less. */
const smoothing = 0.2;

/**
 * Cross entropy with smoothed labels (Szegedy et al., 2016): log(sum(exp(z))) - (1 - smoothing) z[y] - smoothing mean(z), averaged over the
 * batch. The greatest logit is taken out beforehand, so that no exponential overflows.
 */
function crossEntropy(z: np.Array, y: np.Array): np.Array {
  const greatest = lax.stopGradient(np.max(z.ref, -1, { keepdims: true }));
  const shifted = z.sub(greatest);
  const target = oneHot(y, 10)
    .mul(1 - smoothing)
    .add(smoothing / 10);
  const aimed = np.sum(shifted.ref.mul(target), -1);
  return np.mean(np.log(np.sum(np.exp(shifted), -1)).sub(aimed));
}

export default defineJob({ model: ['mlp', 'cnn'] }, ({ model }) => {
  const { init, logits } = model === 'cnn' ? cnn : mlp;
  return {
    model: {
      init,
      loss: (parameters, { x, y }) => crossEntropy(logits(parameters, x), y),
      accuracy: (parameters, { x, y }) =>
        np.mean(np.argmax(logits(parameters, x), -1).equal(y).astype(np.float32)),
      predict: (parameters, { x }) => np.argmax(logits(parameters, x), -1),
    },
    data: split(digits, { test: 0.2 }),
    optimizer: adam({ learningRate: 6e-3 }),
    batchSize: 32,
    epochs: 10,
  };
});
