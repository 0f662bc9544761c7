import { adagrad, defineJob } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: adagrad({ learningRate: 0.3 }),
  batchSize: 16,
  epochs: 10,
});
