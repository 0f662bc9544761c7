import { defineJob, soap } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: soap({ learningRate: 0.1 }), batchSize: 16, epochs: 10 });
