import { defineJob, prodigy } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: prodigy(), batchSize: 16, epochs: 10 });
