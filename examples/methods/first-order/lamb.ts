import { defineJob, lamb } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: lamb({ learningRate: 0.01 }), batchSize: 16, epochs: 10 });
