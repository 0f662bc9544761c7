import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Batch } from '../data/Dataset.ts';
import type { GradientProgram } from './GradientProgram.ts';

const differenceMax = 1e-4;

/** Throws FAILED_PRECONDITION unless the two parts of the loss come to the loss: with others, Gauss-Newton steps would go down another hill. */
export async function requireTwoParts(
  program: GradientProgram,
  parameters: Float32Array,
  batch: Batch,
): Promise<void> {
  // Away from the start, where a model of zeros has the same loss in many ways.
  const at = parameters.map((value, index) => value + 0.1 * Math.cos(index));
  const [whole, parts] = [await program.loss(at, batch), await program.twoPartLoss(at, batch)];
  if (Math.abs(whole - parts) <= differenceMax * Math.max(1, Math.abs(whole))) return;
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `loss(parameters, batch) is ${whole}, but outputLoss(outputs(parameters, batch), batch) is ${parts}`,
    { hint: 'The Gauss-Newton matrix needs a loss that is a function of the outputs alone.' },
  );
}
