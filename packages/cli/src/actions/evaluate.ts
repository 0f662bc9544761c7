import { initialiseJax } from '@tributary/worker/autodiff/initialiseJax.ts';
import { layoutOf } from '@tributary/worker/autodiff/initialParameters.ts';
import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { evaluateParameters } from '../parameters/evaluateParameters.ts';
import { loadParameters, matchParameters, type ParameterSource } from '../parameters/loadParameters.ts';
import { parameterHash } from '../parameters/parameterHash.ts';
import { number, percent } from '../progress/progressText.ts';
import { summaryTable } from '../progress/summaryTable.ts';

export interface EvaluateFlags extends ParameterSource {
  readonly compute: ComputeChoice;
  readonly json?: boolean;
}

export async function evaluate(path: string, given: EvaluateFlags): Promise<void> {
  const { job } = await loadJob(path);
  const loaded = await loadParameters(given, job.name);
  await initialiseJax();
  const shape = layoutOf(job.model);
  const flat = matchParameters(shape.layout, loaded);
  const { loss, accuracy, on, examples } = await evaluateParameters(job, shape, flat, given.compute);
  const result = {
    job: job.name,
    on,
    examples,
    loss,
    accuracy: accuracy ?? null,
    parametersSha256: parameterHash(flat),
  };
  if (given.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const rows: [string, string][] = [
      ['parameters', loaded.description],
      ['data', `${examples} ${on} examples`],
      ['loss', number(loss)],
      ...(accuracy === undefined ? [] : [['accuracy', percent(accuracy)] as [string, string]]),
    ];
    process.stdout.write(`${summaryTable(rows)}\n`);
  }
}
