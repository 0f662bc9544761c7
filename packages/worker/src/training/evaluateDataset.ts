import type { LastBatch } from '@tributary/core/job/JobSpec.ts';
import type { Evaluation, GradientProgram } from '../compute/GradientProgram.ts';
import { padBatch } from '../compute/padBatch.ts';
import type { Dataset } from '../data/Dataset.ts';

/** Examples per evaluation batch: enough to keep the cores busy, few enough to fit beside training. */
const batchExamples = 1000;

/** Mean loss and accuracy over all examples, batch by batch in their own order. */
export async function evaluateDataset(
  program: GradientProgram,
  data: Dataset,
  parameters: Float32Array,
  lastBatch: LastBatch,
): Promise<Evaluation> {
  let loss = 0;
  let accuracy = 0;
  let hasAccuracy = true;
  for (let begin = 0; begin < data.size; begin += batchExamples) {
    const count = Math.min(batchExamples, data.size - begin);
    const batch = await data.read(Uint32Array.from({ length: count }, (_, index) => begin + index));
    // A loss that takes weights finds them here too.
    const result = await program.evaluate(
      parameters,
      lastBatch === 'padded' ? padBatch(batch, count) : batch,
    );
    loss += result.loss * count;
    if (result.accuracy === undefined) hasAccuracy = false;
    else accuracy += result.accuracy * count;
  }
  return { loss: loss / data.size, accuracy: hasAccuracy ? accuracy / data.size : undefined };
}
