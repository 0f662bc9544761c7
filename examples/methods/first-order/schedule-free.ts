import { defineJob, scheduleFree } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: scheduleFree({ learningRate: 0.1 }),
  batchSize: 16,
  epochs: 10,
});
