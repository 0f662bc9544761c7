import { defineJob, sgd } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: sgd({ learningRate: 1 }),
  staleness: 4,
  learningRateByStaleness: true,
  batchSize: 16,
  epochs: 10,
});
