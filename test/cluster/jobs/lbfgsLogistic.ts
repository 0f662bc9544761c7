import { defineJob, lbfgs } from 'tributary';
import logistic from './newtonLogistic.ts';

export default defineJob({ ...logistic, name: 'lbfgs-logistic', optimizer: lbfgs(), steps: 30 });
