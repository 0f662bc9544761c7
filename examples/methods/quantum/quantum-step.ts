import { defineJob, quantum } from 'tributary';
import { logistic } from '../digits.ts';

export default defineJob({ ...logistic, optimizer: quantum(), sampling: 'full', steps: 10 });
