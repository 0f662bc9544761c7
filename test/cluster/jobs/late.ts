import { defineJob, sgd } from 'tributary';
import paced from './paced.ts';

/** Asynchronous, with late gradients corrected. */
export default defineJob({ compensation: 0.04 }, ({ compensation }) => ({
  ...paced,
  name: 'late',
  clipping: {},
  optimizer: sgd({ learningRate: 0.05 }),
  staleness: Number.POSITIVE_INFINITY,
  delayCompensation: compensation,
}));
