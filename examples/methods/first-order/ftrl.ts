import { defineJob, ftrl } from 'tributary';
import { logistic } from '../digits.ts';

export default defineJob({
  ...logistic,
  optimizer: ftrl({ learningRate: 1, l1: 0.01 }),
  batchSize: 16,
  epochs: 10,
});
