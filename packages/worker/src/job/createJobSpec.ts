import type { JobSpec, OptimizerSpec } from '@tributary/core/job/JobSpec.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { liveModel } from '@tributary/core/layout/liveModel.ts';
import { withMethodState } from '@tributary/core/layout/methodState.ts';
import type { Trained } from '@tributary/core/layout/segments.ts';
import { resolveAdaptiveBatch } from '@tributary/core/optimizer/adaptiveBatch.ts';
import { createSampler } from '../data/sampler.ts';
import { passesState } from '../methods/passes.ts';
import { createStepMethod, isStepMethod } from '../methods/table.ts';
import { checkDefinition } from './checkDefinition.ts';
import { encodedRuns } from './encodings.ts';
import type { Job, JobDefinition } from './Job.ts';
import type { NamedJob } from './loadJob.ts';
import { resolveTensors } from './tensorOptions.ts';

/** What may be said otherwise than in the job file, as by the flags of a command. Undefined leaves the field as it is. */
export type JobOverrides = {
  readonly [Field in Exclude<keyof JobDefinition, 'model' | 'data'>]?: JobDefinition[Field] | undefined;
};

/** The job with some fields otherwise; `epochs` takes the place of `steps` and the reverse, `sampling: 'full'` that of the batches. Checked as by defineJob. */
export function overrideJob<J extends Job>(job: J, overrides: JobOverrides): J {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const { epochs, steps, batchSize, lastBatch, options, ...rest } = job as J & NamedJob;
  const length = 'epochs' in given || 'steps' in given ? {} : { epochs, steps };
  const batches = given.sampling === 'full' ? {} : { batchSize, lastBatch };
  const checked = checkDefinition({ ...rest, ...length, ...batches, ...given } as JobDefinition);
  return { ...checked, ...(options && { options }) } as J;
}

/** How often a job takes a checkpoint or evaluates at most, where its file does not say. */
const checkpointsPerJob = 20;
const evaluationsPerJob = 100;

/** What all processes of a job must agree on, from the job, the layout of its parameters, and the size of its training data. */
export function createJobSpec(job: NamedJob, layout: Layout, trainSize: number): JobSpec {
  const { seed, ranks, sampling, lastBatch } = job;
  const { batchSize, stepsPerEpoch } = createSampler({
    ...{ sampling, lastBatch, seed, ranks },
    batchSize: job.batchSize,
    size: trainSize,
  });
  const passes = (count: number) => Math.max(1, Math.round(count * stepsPerEpoch));
  const planned = job.steps ?? passes(job.epochs!);
  const steps = isStepMethod(job.optimizer)
    ? planned
    : Math.min(planned, passes(job.passesMax ?? Number.POSITIVE_INFINITY));
  const tensors = job.tensors && { tensors: resolveTensors(job.tensors, layout) };
  const everyEpoch = (timesMax: number) => Math.max(stepsPerEpoch, Math.ceil(steps / timesMax));
  return {
    name: job.name,
    ...(job.options && { options: job.options }),
    seed,
    ranks,
    sampling,
    lastBatch,
    batchSize,
    ...(job.accumulate !== undefined && { microBatches: job.accumulate }),
    ...(job.adaptiveBatch !== undefined && { adaptiveBatch: resolveAdaptiveBatch(job.adaptiveBatch) }),
    trainSize,
    steps,
    stepsPerEpoch,
    staleness: job.staleness === Number.POSITIVE_INFINITY ? null : job.staleness,
    ...(job.learningRateByStaleness && { learningRateByStaleness: true }),
    ...(job.delayCompensation !== undefined && { delayCompensation: job.delayCompensation }),
    ...(job.pullAhead && { pullAhead: true }),
    ...optimizerOf(job, { layout, ...tensors }),
    ...(job.passesMax !== undefined && { passesMax: job.passesMax }),
    schedule: job.schedule,
    clipping: job.clipping,
    ...tensors,
    ...encodingsOf(job, layout),
    checkpointEverySteps: job.checkpointEverySteps ?? everyEpoch(checkpointsPerJob),
    checkpointsKept: job.checkpointsKept,
    evaluateEverySteps:
      job.data.test === undefined ? 0 : (job.evaluateEverySteps ?? everyEpoch(evaluationsPerJob)),
    ...(job.measureNoise && { measureNoise: true }),
    rejectedMax: job.rejectedMax,
  };
}

/** Only what is not float32. */
function encodingsOf(job: Job, layout: Layout): Pick<JobSpec, 'encoding' | 'pullEncoding'> {
  const encoding = encodedRuns(job.encoding, layout);
  return {
    ...(encoding && { encoding }),
    ...(job.pullEncoding !== 'f32' && { pullEncoding: { name: job.pullEncoding } }),
  };
}

/** How servers apply what is pushed, and what lies there. Throws INVALID_ARGUMENT if a method of the workers cannot work on such a model. */
function optimizerOf(
  { optimizer, averaging, adaptiveBatch, passesMax }: Job,
  model: Trained,
): Pick<JobSpec, 'optimizer' | 'method' | 'layout'> {
  if (!isStepMethod(optimizer)) {
    const averageKeep = averaging === undefined ? {} : { averageKeep: averaging };
    const accumulates = adaptiveBatch === undefined ? {} : { accumulates: true as const };
    return { optimizer: { ...optimizer, ...averageKeep, ...accumulates }, layout: model.layout };
  }
  return {
    optimizer: { name: 'assign', hyperparameters: {} },
    method: optimizer,
    layout: withMethodState(model.layout, methodState(optimizer, model, passesMax)),
  };
}

/** The flat vector at the start: the model's parameters, and behind them the state of the job's method. */
export function initialVector(spec: JobSpec, parameters: Float32Array): Float32Array {
  const { layout, method, passesMax } = spec;
  if (method === undefined) return parameters;
  const flat = new Float32Array(layout.length);
  flat.set(parameters);
  let offset = parameters.length;
  for (const { shape, initial } of methodState(method, spec, passesMax)) {
    const length = shape.reduce((product, dimension) => product * dimension, 1);
    flat.fill(initial, offset, offset + length);
    offset += length;
  }
  return flat;
}

function methodState(method: OptimizerSpec, trained: Trained, passesMax: number | undefined) {
  const { state } = createStepMethod(method, liveModel(trained).layout);
  return passesMax === undefined ? state : [...state, passesState];
}
