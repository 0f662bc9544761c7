import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import { layoutOf, type ParameterShape } from '@tributary/worker/autodiff/initialParameters.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { loadJob, type NamedJob } from '@tributary/worker/job/loadJob.ts';
import { loadParameters } from '@tributary/worker/parameters/loadParameters.ts';
import { takeParameters } from '@tributary/worker/parameters/takeParameters.ts';
import { type ParameterSource, parameterPlace } from './parameterPlace.ts';

export interface TrainedModel {
  readonly job: NamedJob;
  readonly shape: ParameterShape;
  readonly flat: Float32Array;
  /** For people: where the parameters were found. */
  readonly description: string;
}

/** A job with trained parameters for its model. What is not said of the job's options is as it was trained. Throws as loadJob, loadParameters and takeParameters do. */
export async function loadTrainedModel(
  path: string,
  source: ParameterSource & { readonly options?: OptionValues },
): Promise<TrainedModel> {
  const { name } = (await loadJob(path)).job;
  const loaded = await loadParameters(parameterPlace(source, name));
  const { job } = await loadJob(path, { ...loaded.options, ...source.options });
  await initialiseJax();
  const shape = layoutOf(job.model);
  const { layout } = shape;
  const hint = 'Use the job file with which it was trained.';
  const { flat } = takeParameters(layout, new Float32Array(layout.length), loaded, { hint });
  return { job, shape, flat, description: loaded.description };
}
