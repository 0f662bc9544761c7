import { type numpy as np, random } from '@jax-js/jax';
import {
  type Affine,
  accuracy,
  adam,
  conv2d,
  cosine,
  crossEntropy,
  defineJob,
  dense,
  idx,
  initialConv2d,
  initialDense,
  maxPool2d,
  relu,
} from 'tributary';

type Parameters = {
  readonly conv1: Affine;
  readonly conv2: Affine;
  readonly dense1: Affine;
  readonly dense2: Affine;
};

function init(key: np.Array): Parameters {
  const [key1, key2, key3, key4] = random.split(key, 4);
  return {
    conv1: initialConv2d(key1, 1, 16, 3),
    conv2: initialConv2d(key2, 16, 32, 3),
    dense1: initialDense(key3, 32 * 7 * 7, 128),
    dense2: initialDense(key4, 128, 10),
  };
}

/** Two convolutions of 3 x 3, each halved by max pooling, and two dense layers. `x`: images, float32[examples, 28, 28]. */
function logits({ conv1, conv2, dense1, dense2 }: Parameters, x: np.Array): np.Array {
  const images = x.reshape([-1, 1, 28, 28]);
  const halved = maxPool2d(relu(conv2d(conv1, images)), 2);
  const quartered: np.Array = maxPool2d(relu(conv2d(conv2, halved)), 2);
  return dense(dense2, relu(dense(dense1, quartered.reshape([-1, 32 * 7 * 7]))));
}

const epochs = 5;
const batchSize = 16;
const stepsPerEpoch = Math.floor(60_000 / (8 * batchSize));

/** 70,000 grey pictures of clothes in ten classes (Xiao et al., 2017). `data` is the folder of its four files, by default where Debian's dataset-fashion-mnist puts them. */
export default defineJob({ data: '/usr/share/datasets/fashion-mnist' }, ({ data }) => {
  const files = (part: 'train' | 't10k') =>
    idx({
      x: { file: `${data}/${part}-images-idx3-ubyte.gz`, scale: 1 / 255 },
      y: `${data}/${part}-labels-idx1-ubyte.gz`,
    });
  return {
    model: {
      init,
      loss: (parameters: Parameters, { x, y }) => crossEntropy(logits(parameters, x), y),
      accuracy: (parameters: Parameters, { x, y }) => accuracy(logits(parameters, x), y),
    },
    data: { train: files('train'), test: files('t10k') },
    optimizer: adam({ learningRate: 3e-3 }),
    schedule: cosine({ steps: epochs * stepsPerEpoch }),
    batchSize,
    epochs,
  };
});
