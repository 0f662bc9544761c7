import { adam, defineJob } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: adam({ learningRate: 0.05 }), batchSize: 16, epochs: 10 });
