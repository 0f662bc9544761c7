import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Batch } from '../data/Dataset.ts';
import { firstExamples } from './firstExamples.ts';
import type { GradientProgram } from './GradientProgram.ts';
import { padBatch } from './padBatch.ts';

/** Float32 rounding of a mean is far below this, one example among a batch far above. */
const differenceMax = 1e-4;

/**
 * Padding is right only if the loss leaves out examples whose `weight` is 0: compares half of a batch by itself with the same half padded to the whole. Throws
 * FAILED_PRECONDITION if the loss tells them apart.
 */
export async function requireWeighted(
  program: GradientProgram,
  parameters: Float32Array,
  batch: Batch,
): Promise<void> {
  const examples = Object.values(batch)[0].shape[0];
  if (examples < 2) return;
  const half = firstExamples(batch, Math.floor(examples / 2));
  // Away from the start, where a model of zeros has the same loss for every example.
  const at = parameters.map((value, index) => value + 0.1 * Math.cos(index));
  const alone = await program.loss(at, half);
  const padded = await program.loss(at, padBatch(half, examples));
  if (Math.abs(alone - padded) <= differenceMax * Math.max(1, Math.abs(alone))) return;
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `the loss does not leave out examples of weight 0: it is ${alone} for ${Math.floor(examples / 2)} examples, and ${padded} once they are padded to ${examples}`,
    {
      hint: "With lastBatch 'padded', take the mean weighted by the field `weight`, as crossEntropy(logits, labels, weight) does; or set lastBatch to 'short'.",
    },
  );
}
