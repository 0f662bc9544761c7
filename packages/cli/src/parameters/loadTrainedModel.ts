import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { listNames } from '@tributary/core/layout/namePattern.ts';
import { transferParameters } from '@tributary/core/transfer/transferParameters.ts';
import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import { layoutOf, type ParameterShape } from '@tributary/worker/autodiff/initialParameters.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { loadJob, type NamedJob } from '@tributary/worker/job/loadJob.ts';
import { type LoadedParameters, loadParameters } from '@tributary/worker/parameters/loadParameters.ts';
import { type ParameterSource, parameterPlace } from './parameterPlace.ts';

export interface TrainedModel {
  readonly job: NamedJob;
  readonly shape: ParameterShape;
  readonly flat: Float32Array;
  /** For people: where the parameters were found. */
  readonly description: string;
}

/** A job with trained parameters for its model. What is not said of the job's options is as it was trained. Throws as loadJob and loadParameters do. */
export async function loadTrainedModel(
  path: string,
  source: ParameterSource & { readonly options?: OptionValues },
): Promise<TrainedModel> {
  const { name } = (await loadJob(path)).job;
  const loaded = await loadParameters(parameterPlace(source, name));
  const { job } = await loadJob(path, { ...loaded.options, ...source.options });
  await initialiseJax();
  const shape = layoutOf(job.model);
  return { job, shape, flat: matchParameters(shape.layout, loaded), description: loaded.description };
}

/** The loaded parameters in the order of the model, by name. Throws FAILED_PRECONDITION naming each that is missing or has another shape. */
function matchParameters(model: Layout, loaded: LoadedParameters): Float32Array {
  const { flat, differences } = transferParameters(model, new Float32Array(model.length), loaded);
  if (differences.length === 0) return flat;
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `${loaded.description} does not fit the model: ${listNames(differences, '; ')}`,
    { hint: 'Use the job file with which it was trained.' },
  );
}
