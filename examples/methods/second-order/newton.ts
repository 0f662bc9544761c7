import { defineJob, newton } from 'tributary';
import { logistic } from '../digits.ts';

export default defineJob({ ...logistic, optimizer: newton({ damping: 1e-3 }), sampling: 'full', steps: 8 });
