import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import { initialParameters, type ParameterShape } from '@tributary/worker/autodiff/initialParameters.ts';
import {
  createJobSpec,
  initialVector,
  type JobOverrides,
  overrideJob,
} from '@tributary/worker/job/createJobSpec.ts';
import { loadJob, type NamedJob } from '@tributary/worker/job/loadJob.ts';
import type { OverrideFlags } from '../commands/flags.ts';
import { type Beginning, beginFrom } from './beginFrom.ts';

export interface PreparedJob {
  readonly job: NamedJob;
  readonly file: string;
  readonly spec: JobSpec;
  readonly shape: ParameterShape;
  /** The parameters at step 0; found once; a resumed job does not ask. Where they start from others that do not fit, it throws as beginFrom does. */
  readonly begin: () => Promise<Beginning>;
}

/**
 * Loads a job file and finds out all that the cluster has to agree on: opens the training data to count it, and runs the model's `init`. What `change` says comes last, as
 * for a trial of another method.
 */
export async function prepareJob(
  path: string,
  overrides: OverrideFlags,
  change: (job: NamedJob) => JobOverrides = () => ({}),
): Promise<PreparedJob> {
  const { checkpointEvery, evaluateEvery, startFrom, options, ...others } = overrides;
  const loaded = await loadJob(path, options);
  const flagged = overrideJob(loaded.job, {
    ...others,
    checkpointEverySteps: checkpointEvery,
    evaluateEverySteps: evaluateEvery,
    start: startFrom === undefined ? undefined : { ...loaded.job.start, from: startFrom },
  });
  const job = overrideJob(flagged, change(flagged));
  await initialiseJax();
  const { flat, ...shape } = await initialParameters(job.model, job.seed);
  const train = await job.data.train.open();
  const spec = createJobSpec(job, shape.layout, train.size);
  await train.close();
  let beginning: Promise<Beginning> | undefined;
  const begin = async (): Promise<Beginning> => {
    const { parameters, ...origin } = await beginFrom(job.start, shape.layout, flat);
    return { parameters: initialVector(spec, parameters), ...origin };
  };
  return {
    job,
    file: loaded.file,
    spec,
    shape,
    begin() {
      beginning ??= begin();
      return beginning;
    },
  };
}
