import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ParameterShape } from '../autodiff/initialParameters.ts';
import type { Batch } from '../data/Dataset.ts';
import type { Model } from '../job/Model.ts';
import { firstExamples } from './firstExamples.ts';
import { GradientProgram } from './GradientProgram.ts';
import { ReferenceBackend } from './reference/ReferenceBackend.ts';

/** How far two backends are apart. */
export interface Disagreement {
  /** The norm of the difference over the norm, of the loss or of the gradient of the tensor where it is largest. */
  readonly measure: number;
  /** That tensor's name, or `loss`. */
  readonly where: string;
  /** Examples of the batch on which they were compared. */
  readonly examples: number;
}

/** Float32 rounding gives 1e-6 to 1e-5 for the models of the bench; a wrong rule for an operation gives about 1. */
const measureMax = 1e-3;
/** Enough to see every operation at work, few enough for the slow backend. */
const examplesMax = 8;
/** A value that falls just on either side of a kink, as of relu, gives different gradients that are both right. It will not do so at every point. */
const points = 3;

/**
 * Compares the gradient that `program` gives for a slice of the batch with the reference backend's. Throws FAILED_PRECONDITION, with the
 * measure and the place, if they disagree at the parameters and at points near them.
 */
export async function selfCheck(
  program: GradientProgram,
  model: Model,
  shape: ParameterShape,
  parameters: Float32Array,
  batch: Batch,
): Promise<Disagreement> {
  const reference = new GradientProgram(new ReferenceBackend(), model, shape);
  try {
    const slice = await usableSlice(program, batch);
    let found = await compare(program, reference, shape, parameters, slice);
    for (let point = 1; point < points && !(found.measure <= measureMax); point++) {
      found = await compare(program, reference, shape, nearby(parameters, point), slice);
    }
    if (found.measure <= measureMax) return found;
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `the backends disagree: ${found.where === 'loss' ? 'the loss' : `the gradient of "${found.where}"`} differs by ${found.measure.toPrecision(3)} of its norm, of which ${measureMax} is allowed`,
      { hint: 'Use --compute reference, and report the model; --no-self-check trains all the same.' },
    );
  } finally {
    reference.dispose();
  }
}

/** The first examples of the batch, or the whole of it if the model knows its size. */
async function usableSlice(program: GradientProgram, batch: Batch): Promise<Batch> {
  const slice = firstExamples(batch, examplesMax);
  try {
    await program.prepare(slice);
    return slice;
  } catch (error) {
    if (error instanceof TributaryError && error.code === 'INVALID_ARGUMENT') return batch;
    throw error;
  }
}

async function compare(
  program: GradientProgram,
  reference: GradientProgram,
  { layout }: ParameterShape,
  parameters: Float32Array,
  batch: Batch,
): Promise<Disagreement> {
  const [found, expected] = [new Float32Array(layout.length), new Float32Array(layout.length)];
  const loss = await program.run(parameters, batch, found);
  const expectedLoss = await reference.run(parameters, batch, expected);
  // A gradient that is 0 but for rounding has no direction: below this share of the whole, nothing is asked of a tensor.
  const floor = 1e-4 * norm(expected) + Number.MIN_VALUE;
  const examples = Object.values(batch)[0]?.shape[0] ?? 0;
  const lossMeasure = Math.abs(loss - expectedLoss) / Math.max(Math.abs(expectedLoss), 1e-3);
  return layout.tensors
    .map(({ name, offset, length }) => {
      const [a, b] = [found, expected].map((flat) => flat.subarray(offset, offset + length));
      return {
        where: name,
        measure: norm(a.map((x, index) => x - b[index])) / Math.max(norm(b), floor),
        examples,
      };
    })
    .reduce((worst, next) => (worst.measure >= next.measure ? worst : next), {
      where: 'loss',
      measure: lossMeasure,
      examples,
    });
}

function nearby(parameters: Float32Array, point: number): Float32Array {
  return parameters.map((value, index) => value * (1 + 1e-3 * Math.cos(index + point)));
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
