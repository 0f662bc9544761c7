import { defineJob, rmsprop } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: rmsprop({ learningRate: 0.03 }),
  batchSize: 16,
  epochs: 10,
});
