import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import { layoutOf, type ParameterShape } from '@tributary/worker/autodiff/initialParameters.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { loadJob, type NamedJob } from '@tributary/worker/job/loadJob.ts';
import { type LoadedParameters, loadParameters, type ParameterSource } from './loadParameters.ts';

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
  const loaded = await loadParameters(source, name);
  const { job } = await loadJob(path, { ...loaded.options, ...source.options });
  await initialiseJax();
  const shape = layoutOf(job.model);
  return { job, shape, flat: matchParameters(shape.layout, loaded), description: loaded.description };
}

/** The loaded parameters in the order of the model, by name. Throws FAILED_PRECONDITION naming each that is missing or has another shape. */
function matchParameters(model: Layout, { layout, flat, description }: LoadedParameters): Float32Array {
  const byName = new Map(layout.tensors.map((tensor) => [tensor.name, tensor]));
  const wrong: string[] = [];
  const matched = new Float32Array(model.length);
  for (const { name, shape, offset } of model.tensors) {
    const tensor = byName.get(name);
    if (tensor === undefined) wrong.push(`"${name}" is missing`);
    else if (tensor.shape.join() !== shape.join()) {
      wrong.push(`"${name}" has the shape [${tensor.shape.join(', ')}] instead of [${shape.join(', ')}]`);
    } else matched.set(flat.subarray(tensor.offset, tensor.offset + tensor.length), offset);
  }
  if (wrong.length === 0) return matched;
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `${description} does not fit the model: ${wrong.join('; ')}`,
    {
      hint: 'Use the job file with which it was trained.',
    },
  );
}
