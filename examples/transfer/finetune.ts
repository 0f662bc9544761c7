import { adam, byDepth, defineJob, type TensorRule } from 'tributary';
import { model } from './network.ts';
import { task } from './task.ts';

/** From the head down. */
const layers = ['head*', 'dense*', 'conv2*', 'conv1*'];

/** What of the network is trained. */
const trained: Record<'all' | 'gradual' | 'head', TensorRule[]> = {
  all: [],
  gradual: byDepth(layers, { rateFactor: 0.7, unfreezeEverySteps: 5 }),
  head: [
    { match: layers.slice(1), frozen: true },
    { match: 'head*', learningRateScale: 10 },
  ],
};

/**
 * The digits 5 to 9 from ten images of each: from scratch, or with `--start-from` and the run of pretrain.ts. `draw` says which ten images, `train` which layers are trained.
 */
export default defineJob({ draw: 1, train: ['all', 'gradual', 'head'] }, ({ draw, train }) => ({
  model,
  data: task(5, { images: 10, skip: 10 * (draw - 1) }),
  start: { reinitialise: ['head*'] },
  tensors: trained[train],
  optimizer: adam({ learningRate: 3e-3 }),
  sampling: 'full',
  ranks: 2,
  steps: 30,
  evaluateEverySteps: 0,
}));
