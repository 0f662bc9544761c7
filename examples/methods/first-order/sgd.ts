import { defineJob, sgd } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: sgd({ learningRate: 2 }), batchSize: 16, epochs: 10 });
