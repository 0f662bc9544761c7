import type { OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';
import { optimizers } from '@tributary/core/optimizer/table.ts';

/** Settings that change more than a number: other slots, or terms that are 0 by default. */
const settings: OptimizerSpec[] = [
  { name: 'sgd', hyperparameters: { weightDecay: 0.1 } },
  { name: 'momentum', hyperparameters: { weightDecay: 0.1 } },
  { name: 'nesterov', hyperparameters: { weightDecay: 0.1 } },
  { name: 'adagrad', hyperparameters: { initialAccumulator: 0.1, weightDecay: 0.1 } },
  { name: 'rmsprop', hyperparameters: { momentum: 0.9 } },
  { name: 'rmsprop', hyperparameters: { centered: true, weightDecay: 0.1 } },
  { name: 'rmsprop', hyperparameters: { momentum: 0.9, centered: true } },
  { name: 'adam', hyperparameters: { weightDecay: 0.1 } },
  { name: 'adam', hyperparameters: { amsgrad: true } },
  { name: 'adam', hyperparameters: { amsgrad: true, weightDecay: 0.1 } },
  // rectified already at the second step
  { name: 'radam', hyperparameters: { beta2: 0.5, weightDecay: 0.1 } },
  { name: 'radam', hyperparameters: { beta2: 0.9 } },
  { name: 'lion', hyperparameters: { weightDecay: 0.1 } },
  { name: 'schedule-free', hyperparameters: { weightDecay: 0.1, warmupSteps: 4 } },
  { name: 'adam', hyperparameters: {}, averageKeep: 0.9 },
  { name: 'lamb', hyperparameters: {}, averageKeep: 0.9 },
  { name: 'adam', hyperparameters: {}, averageKeep: 0.9, accumulates: true },
  { name: 'lars', hyperparameters: { weightDecay: 0 } },
  { name: 'lamb', hyperparameters: { weightDecay: 0 } },
  { name: 'adafactor', hyperparameters: { weightDecay: 0.1 } },
  { name: 'muon', hyperparameters: { nesterov: false, weightDecay: 0 } },
  { name: 'soap', hyperparameters: { basisEverySteps: 2, sideMax: 30 } },
  { name: 'ftrl', hyperparameters: { l1: 0.01, l2: 0.1, beta: 0.5, initialAccumulator: 0.1 } },
];

/** Every row of the table with its defaults, and every setting above. */
export const optimizerVariants: { title: string; spec: OptimizerSpec }[] = [
  ...Object.keys(optimizers).map((name) => ({ name, hyperparameters: {} })),
  ...settings,
].map((spec) => {
  const { name, hyperparameters, ...rest } = spec;
  return {
    title: [name, hyperparameters, rest]
      .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
      .join(' '),
    spec,
  };
});

/** Those whose parameters may be cut anywhere, and those that need whole tensors. */
export const elementVariants = optimizerVariants.filter(({ spec }) => !createOptimizer(spec).wholeTensors);
export const tensorVariants = optimizerVariants.filter(({ spec }) => createOptimizer(spec).wholeTensors);
