import { defineJob, newtonCg } from 'tributary';
import logistic from './newtonLogistic.ts';

export default defineJob({ ...logistic, name: 'newton-cg-logistic', optimizer: newtonCg(), steps: 12 });
