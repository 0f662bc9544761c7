import type { ScheduleSpec } from '@tributary/core/job/JobSpec.ts';

/**
 * The schedules as a job file names them: `cosine({ steps: 1000, warmupSteps: 50 })`. Each gives the factor by which the optimizer's learning
 * rate is multiplied; the formulas and ranges are in core/optimizer/schedule.ts.
 */
export type Warmup = {
  /** Steps in which the learning rate first grows in a straight line to its full height. Default: 0. */
  warmupSteps?: number;
};

/** The learning rate as it is. */
export function constant(options: Warmup = {}): ScheduleSpec {
  return { name: 'constant', options: { ...options } };
}

/** Times `factor` (default 0.1) after each `everySteps` steps. */
export function stepDecay(options: { everySteps: number; factor?: number } & Warmup): ScheduleSpec {
  return { name: 'step', options };
}

/** Times `factor` (default 0.999) over each `everySteps` steps (default 1), smoothly. */
export function exponential(options: { everySteps?: number; factor?: number } & Warmup = {}): ScheduleSpec {
  return { name: 'exponential', options };
}

/** Down to `finalFactor` (default 0) at step `steps` (warm-up included) along half a period of a cosine, and level from there on. */
export function cosine(options: { steps: number; finalFactor?: number } & Warmup): ScheduleSpec {
  return { name: 'cosine', options };
}
