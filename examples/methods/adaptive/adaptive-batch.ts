import { defineJob, sgd } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: sgd({ learningRate: 0.5 }),
  adaptiveBatch: { rate: 'sqrt' },
  batchSize: 2,
  epochs: 10,
});
