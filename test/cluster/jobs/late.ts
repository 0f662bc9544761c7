import { defineJob, sgd } from 'tributary';
import paced from './paced.ts';

/** Asynchronous, with late gradients corrected. */
export default defineJob({
  ...paced,
  name: 'late',
  clipping: {},
  optimizer: sgd({ learningRate: 0.02 }),
  staleness: Number.POSITIVE_INFINITY,
  delayCompensation: 0.04,
});
