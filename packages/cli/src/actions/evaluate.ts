import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import type { OptionValues } from '@tributary/worker/job/JobOptions.ts';
import { evaluateParameters } from '../parameters/evaluateParameters.ts';
import { loadTrainedModel } from '../parameters/loadTrainedModel.ts';
import { parameterHash } from '../parameters/parameterHash.ts';
import type { ParameterSource } from '../parameters/parameterPlace.ts';
import { number, percent } from '../progress/progressText.ts';
import { summaryTable } from '../progress/summaryTable.ts';

export interface EvaluateFlags extends ParameterSource {
  readonly compute: ComputeChoice;
  readonly json?: boolean;
  /** Of the job file. */
  readonly options: OptionValues;
}

export async function evaluate(path: string, given: EvaluateFlags): Promise<void> {
  const { job, shape, flat, description } = await loadTrainedModel(path, given);
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
      ['parameters', description],
      ['data', `${examples} ${on} examples`],
      ['loss', number(loss)],
      ...(accuracy === undefined ? [] : [['accuracy', percent(accuracy)] as [string, string]]),
    ];
    process.stdout.write(`${summaryTable(rows)}\n`);
  }
}
