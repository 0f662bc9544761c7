import { defineJob, muon } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: muon({ learningRate: 0.1 }), batchSize: 16, epochs: 10 });
