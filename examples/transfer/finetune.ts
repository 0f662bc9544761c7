import { adam, defineJob } from 'tributary';
import { model } from './network.ts';
import { task } from './task.ts';

/**
 * The digits 5 to 9 from ten images of each: with `--start-from` and a run of pretrain.ts, or from scratch. `draw` says which ten.
 */
export default defineJob({ draw: 1 }, ({ draw }) => ({
  model,
  data: task(5, { images: 10, skip: 10 * (draw - 1) }),
  start: { reinitialise: ['head*'] },
  optimizer: adam({ learningRate: 3e-3 }),
  sampling: 'full',
  ranks: 2,
  steps: 40,
  evaluateEverySteps: 0,
}));
