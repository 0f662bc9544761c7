import { defineJob, newtonCg } from 'tributary';
import { network } from '../digits.ts';

export default defineJob({
  ...network,
  optimizer: newtonCg({ gaussNewton: true }),
  sampling: 'full',
  steps: 20,
});
