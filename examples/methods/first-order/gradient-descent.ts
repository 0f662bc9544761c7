import { defineJob, sgd } from 'tributary';
import { logistic } from '../digits.ts';

export default defineJob({ ...logistic, optimizer: sgd({ learningRate: 1 }), sampling: 'full', steps: 300 });
