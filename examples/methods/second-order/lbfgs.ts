import { defineJob, lbfgs } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: lbfgs(), sampling: 'full', steps: 80 });
