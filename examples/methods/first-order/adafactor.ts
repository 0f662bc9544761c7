import { adafactor, defineJob } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: adafactor({ learningRate: 0.03 }),
  batchSize: 16,
  epochs: 10,
});
