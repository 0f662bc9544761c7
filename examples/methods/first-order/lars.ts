import { defineJob, lars } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: lars({ learningRate: 10 }), batchSize: 16, epochs: 10 });
