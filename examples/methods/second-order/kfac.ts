import { defineJob, kfac } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: kfac({ learningRate: 0.3 }), batchSize: 64, epochs: 8 });
