import type { JobSpec, ScheduleSpec } from '@tributary/core/job/JobSpec.ts';
import { createSampler } from '@tributary/worker/data/sampler.ts';
import type { JobOverrides } from '@tributary/worker/job/createJobSpec.ts';
import type { Job } from '@tributary/worker/job/Job.ts';
import { isStepMethod } from '@tributary/worker/methods/table.ts';
import type { MethodChoice } from './parseMethods.ts';

/** What every method may use, the same for all. */
export type Budget =
  | { readonly kind: 'passes'; readonly passes: number }
  /** Of training: evaluations do not count. */
  | { readonly kind: 'seconds'; readonly seconds: number };

/** More than any budget of seconds allows. */
const stepsWithoutEnd = 2 ** 31;
/** Points of a curve, about. */
const evaluations = 25;
/** Methods of whole steps that are made for minibatches. */
const forMinibatches = ['kfac'];
/** Gradient descent makes so many steps between evaluations where there is no better measure: they cost as much as a step. */
const fullBatchEvery = 10;

/**
 * What is otherwise in the job when another method trains it within a budget. A method that is the job's own keeps the job's hyperparameters; others have their
 * defaults. Methods that compute whole steps have neither schedule nor clipping, and see all of the data at each, unless they are made for minibatches.
 */
export function methodJob(job: Job, choice: MethodChoice, budget: Budget, trainSize: number): JobOverrides {
  const wholeSteps = isStepMethod(choice.optimizer);
  // The loss of a padded job reads a weight that only padded batches have.
  const full = wholeSteps && !forMinibatches.includes(choice.optimizer.name) && job.lastBatch !== 'padded';
  const sampling = choice.sampling ?? (full && choice.batchSize === undefined ? 'full' : job.sampling);
  const batchSize = choice.batchSize ?? job.batchSize;
  const { stepsPerEpoch } = createSampler({ ...job, sampling, batchSize, size: trainSize });
  const own = choice.optimizer.name === job.optimizer.name ? job.optimizer.hyperparameters : {};
  const steps = budget.kind === 'passes' ? Math.max(1, Math.round(budget.passes * stepsPerEpoch)) : undefined;
  return {
    optimizer: {
      name: choice.optimizer.name,
      hyperparameters: { ...own, ...choice.optimizer.hyperparameters },
    },
    sampling,
    ...(sampling === 'shuffled' && { batchSize }),
    ...(wholeSteps
      ? { staleness: 0, schedule: { name: 'constant', options: {} }, clipping: {}, steps: stepsWithoutEnd }
      : { schedule: scheduleFor(job, choice, steps), steps: steps ?? stepsWithoutEnd }),
    ...(budget.kind === 'passes' && { passesMax: budget.passes }),
    checkpointEverySteps: 0,
    evaluateEverySteps: evaluateEvery(wholeSteps, sampling, steps, stepsPerEpoch),
  };
}

function evaluateEvery(
  wholeSteps: boolean,
  sampling: JobSpec['sampling'],
  steps: number | undefined,
  stepsPerEpoch: number,
): number {
  if (wholeSteps) return sampling === 'full' ? 1 : Math.max(1, Math.round(stepsPerEpoch / 4));
  if (steps !== undefined) return Math.max(1, Math.round(steps / evaluations));
  return sampling === 'full' ? fullBatchEvery : stepsPerEpoch;
}

/** The job's schedule; one that is laid out for a number of steps is stretched to the budget's, or left out where that number is not known. */
function scheduleFor(
  { schedule }: Job,
  { optimizer }: MethodChoice,
  steps: number | undefined,
): ScheduleSpec {
  const constant = { name: 'constant', options: {} };
  if (optimizer.name === 'ftrl') return constant;
  const { steps: planned, warmupSteps } = schedule.options;
  if (planned === undefined) return schedule;
  if (steps === undefined) return constant;
  const warmup = warmupSteps && { warmupSteps: Math.floor((warmupSteps / planned) * steps) };
  return { ...schedule, options: { ...schedule.options, steps, ...warmup } };
}
