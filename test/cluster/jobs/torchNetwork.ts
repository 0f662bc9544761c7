import type { numpy as np } from '@jax-js/jax';
import {
  type Affine,
  conv2d,
  crossEntropy,
  defineJob,
  dense,
  initialConv2d,
  initialDense,
  inMemory,
  maxPool2d,
  relu,
  sgd,
} from 'tributary';
import expected from '../../fixtures/trained/network.json' with { type: 'json' };

type Parameters = { readonly features: readonly Affine[]; readonly head: Affine };

/** The network that PyTorch wrote into test/fixtures/trained. */
export default defineJob({
  model: {
    init: (key): Parameters => ({
      features: [initialConv2d(key.ref, 1, 2, 3)],
      head: initialDense(key, 8, 3),
    }),
    loss: (parameters, { x, y }) => crossEntropy(logits(parameters, x), y),
    predict: (parameters, { x }) => logits(parameters, x),
  },
  data: { train: inMemory({ x: expected.x, y: Int32Array.of(0, 1, 2) }) },
  start: {
    from: '../../fixtures/trained/network.onnx',
    map: {
      'features/*/w': 'features.*.weight',
      'features/*/b': 'features.*.bias',
      'head/w': 'fc.weight',
      'head/b': 'fc.bias',
    },
    transpose: ['head*'],
  },
  optimizer: sgd({ learningRate: 0.1 }),
  ranks: 1,
  batchSize: 3,
  steps: 2,
});

function logits({ features, head }: Parameters, x: np.Array): np.Array {
  const pooled = maxPool2d(relu(conv2d(features[0], x)), 2);
  return dense(head, pooled.reshape([-1, 8]));
}
