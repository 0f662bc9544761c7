import { adadelta, defineJob } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: adadelta({ learningRate: 10 }),
  batchSize: 16,
  epochs: 10,
});
