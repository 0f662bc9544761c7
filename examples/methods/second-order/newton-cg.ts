import { defineJob, newtonCg } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({ ...network, optimizer: newtonCg(), sampling: 'full', steps: 20 });
