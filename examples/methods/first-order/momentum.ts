import { defineJob, momentum } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: momentum({ learningRate: 0.3 }),
  batchSize: 16,
  epochs: 10,
});
