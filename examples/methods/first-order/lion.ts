import { defineJob, lion } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: lion({ learningRate: 0.01 }), batchSize: 16, epochs: 10 });
