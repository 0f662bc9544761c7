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

/** (1 - progress)^`power` (default 1: a straight line) down to `finalFactor` (default 0) at step `steps` (warm-up included), and level from there on. */
export function polynomial(
  options: { steps: number; power?: number; finalFactor?: number } & Warmup,
): ScheduleSpec {
  return { name: 'polynomial', options };
}

/**
 * Up from `initialFactor` (default 0.04) to the full rate in the first `riseFraction` (default 0.3) of `steps`, then down to `finalFactor` (default 4e-6): one cycle
 * with a high peak (Smith & Topin, 2019). Take a larger learning rate than elsewhere.
 */
export function oneCycle(
  options: { steps: number; riseFraction?: number; initialFactor?: number; finalFactor?: number } & Warmup,
): ScheduleSpec {
  return { name: 'one-cycle', options };
}

/** Cosines down to `finalFactor` (default 0), the first `periodSteps` long, every other `growth` (default 2) times the one before (SGDR: Loshchilov & Hutter, 2017). */
export function restarts(
  options: { periodSteps: number; growth?: number; finalFactor?: number } & Warmup,
): ScheduleSpec {
  return { name: 'restarts', options };
}

/**
 * Times `factor` (default 0.1) whenever the training loss, in the mean over `everySteps` steps, has not fallen for more than `patience` (default 3) such means,
 * by the part `threshold` (default 1e-4) at least; down to `finalFactor` (default 0). Synchronous jobs only.
 */
export function plateau(
  options: {
    everySteps: number;
    factor?: number;
    patience?: number;
    threshold?: number;
    finalFactor?: number;
  } & Warmup,
): ScheduleSpec {
  return { name: 'plateau', options };
}
