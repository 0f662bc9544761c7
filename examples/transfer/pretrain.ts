import { adam, defineJob } from 'tributary';
import { model } from './network.ts';
import { task } from './task.ts';

/** The digits 0 to 4, of which there are plenty. */
export default defineJob({
  model,
  data: task(0),
  optimizer: adam({ learningRate: 3e-3 }),
  batchSize: 16,
  epochs: 5,
});
