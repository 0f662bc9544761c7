import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { LastBatch } from '@tributary/core/job/JobSpec.ts';
import type { ParameterShape } from '../autodiff/initialParameters.ts';
import { GradientProgram } from '../compute/GradientProgram.ts';
import { padBatch } from '../compute/padBatch.ts';
import { ReferenceBackend } from '../compute/reference/ReferenceBackend.ts';
import type { Dataset } from '../data/Dataset.ts';
import { type Extreme, extremesOf } from '../data/extremesOf.ts';
import type { Model } from '../job/Model.ts';

export interface LookingUp {
  readonly program: GradientProgram;
  readonly model: Model;
  readonly shape: ParameterShape;
  readonly parameters: Float32Array;
  /** Of the batches for which `program` is prepared. */
  readonly batchSize: number;
  readonly lastBatch: LastBatch;
}

/**
 * Looks at the labels and ids of all examples before training meets them: if some are out of range of what they index, the least or the greatest
 * of their field is. (Unless the model rearranges them first; the step that meets one refuses it then.) So one batch of the examples that have these tells.
 *
 * Throws OUT_OF_RANGE, naming the example, its field and the range; what reading throws; INVALID_ARGUMENT if the model cannot take such a batch.
 */
export async function requireIndicesInRange(
  { program, model, shape, parameters, batchSize, lastBatch }: LookingUp,
  data: Dataset,
  description: string,
): Promise<void> {
  const gradient = new Float32Array(parameters.length);
  /** What a batch of these has against an index. */
  const refusal = async (by: GradientProgram, extremes: readonly Extreme[]) => {
    const rows = Uint32Array.from({ length: batchSize }, (_, row) => extremes[row % extremes.length].example);
    const batch = await data.read(rows);
    try {
      await by.run(parameters, lastBatch === 'padded' ? padBatch(batch, batchSize) : batch, gradient);
      return undefined;
    } catch (error) {
      if (error instanceof TributaryError && error.code === 'OUT_OF_RANGE') return error;
      throw error;
    }
  };
  /** One by one, by the backend that always says which index it is. */
  const named = async (extremes: readonly Extreme[], error: TributaryError): Promise<TributaryError> => {
    const reference = new GradientProgram(new ReferenceBackend(), model, shape);
    const refused: { extreme: Extreme; message: string }[] = [];
    for (const extreme of extremes) {
      const found = await refusal(reference, [extreme]);
      if (found !== undefined) refused.push({ extreme, message: found.message });
    }
    if (refused.length === 0) return error;
    // An example that is here for several fields: the one that has the index, or all of them if the model makes another number of it.
    const same = refused.find(({ extreme, message }) => message.includes(`index ${extreme.value} `));
    const { extreme, message } = same ?? refused[0];
    const fields = same ? [same] : refused.filter((other) => other.extreme.example === extreme.example);
    const values = fields.map(({ extreme: { field, value } }) => `${field} is ${value}`).join(' and ');
    return new TributaryError(
      'OUT_OF_RANGE',
      `example ${extreme.example} of ${description}, whose ${values}: ${message}`,
      { hint: 'Compare the labels or ids of the data with the sizes in the model.', cause: error },
    );
  };
  const extremes = await extremesOf(data);
  for (let begin = 0; begin < extremes.length; begin += batchSize) {
    const together = extremes.slice(begin, begin + batchSize);
    const error = await refusal(program, together);
    if (error === undefined) continue;
    throw await named(together, error);
  }
}
