import { defineJob, nesterov } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: nesterov({ learningRate: 0.3 }),
  batchSize: 16,
  epochs: 10,
});
