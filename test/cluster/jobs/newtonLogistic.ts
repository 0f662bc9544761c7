import { readFileSync } from 'node:fs';
import { numpy as np } from '@jax-js/jax';
import { binaryCrossEntropyWithLogits, defineJob, inMemory, newton } from 'tributary';

/* The logistic regression of the fixture: 569 tumours, 31 weights, L2. */
const { rows, labels, l2 } = JSON.parse(
  readFileSync(new URL('../../fixtures/golden/newton-logistic.json', import.meta.url), 'utf8'),
);

export default defineJob({
  name: 'newton-logistic',
  model: {
    init: () => ({ w: np.zeros([31]) }),
    loss: ({ w }, { x, y }) =>
      binaryCrossEntropyWithLogits(np.dot(x, w.ref), y).add(
        np
          .square(w)
          .sum()
          .mul(l2 / 2),
      ),
  },
  data: { train: inMemory({ x: rows, y: labels }) },
  optimizer: newton(),
  sampling: 'full',
  steps: 8,
});
