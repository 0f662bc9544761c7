import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { createSampler } from '../data/sampler.ts';
import { checkDefinition } from './checkDefinition.ts';
import type { Job, JobDefinition } from './Job.ts';

/** What may be said otherwise than in the job file, as by the flags of a command. Undefined leaves the field as it is. */
export type JobOverrides = {
  readonly [Field in Exclude<keyof JobDefinition, 'model' | 'data'>]?: JobDefinition[Field] | undefined;
};

/** The job with some fields otherwise; `epochs` takes the place of `steps` and the reverse. Checked as by defineJob. */
export function overrideJob<J extends Job>(job: J, overrides: JobOverrides): J {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const { epochs, steps, ...rest } = job;
  const length = 'epochs' in given || 'steps' in given ? {} : { epochs, steps };
  return checkDefinition({ ...rest, ...length, ...given } as JobDefinition) as J;
}

/** How often a job takes a checkpoint or evaluates at most, where its file does not say. */
const checkpointsPerJob = 20;
const evaluationsPerJob = 100;

/** What all processes of a job must agree on, from the job, the layout of its parameters, and the size of its training data. */
export function createJobSpec(
  job: Job & { readonly name: string },
  layout: Layout,
  trainSize: number,
): JobSpec {
  const { seed, ranks, sampling } = job;
  const { batchSize, stepsPerEpoch } = createSampler({
    sampling,
    seed,
    ranks,
    batchSize: job.batchSize,
    size: trainSize,
  });
  const steps = job.steps ?? Math.max(1, Math.round(job.epochs! * stepsPerEpoch));
  const everyEpoch = (timesMax: number) => Math.max(stepsPerEpoch, Math.ceil(steps / timesMax));
  return {
    name: job.name,
    seed,
    ranks,
    sampling,
    batchSize,
    trainSize,
    steps,
    stepsPerEpoch,
    staleness: job.staleness === Number.POSITIVE_INFINITY ? null : job.staleness,
    optimizer: job.optimizer,
    schedule: job.schedule,
    clipping: job.clipping,
    layout,
    checkpointEverySteps: job.checkpointEverySteps ?? everyEpoch(checkpointsPerJob),
    checkpointsKept: job.checkpointsKept,
    evaluateEverySteps:
      job.data.test === undefined ? 0 : (job.evaluateEverySteps ?? everyEpoch(evaluationsPerJob)),
    rejectedMax: job.rejectedMax,
  };
}
