import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { needsSquares } from '@tributary/core/job/needsSquares.ts';
import { createKernels } from '@tributary/core/kernels/createKernels.ts';
import { firstDifference } from '@tributary/core/layout/firstDifference.ts';
import type { Layout } from '@tributary/core/layout/Layout.ts';
import { withoutMethodState } from '@tributary/core/layout/methodState.ts';
import { segmentsOf } from '@tributary/core/layout/segments.ts';
import type { Trace } from '@tributary/core/trace/Trace.ts';
import { initialParameters, layoutOf } from '../autodiff/initialParameters.ts';
import { type Evaluation, GradientProgram } from '../compute/GradientProgram.ts';
import { openBackend } from '../compute/openBackend.ts';
import { requireTwoParts } from '../compute/requireTwoParts.ts';
import { requireWeighted } from '../compute/requireWeighted.ts';
import { selfCheck } from '../compute/selfCheck.ts';
import type { Dataset } from '../data/Dataset.ts';
import { loadJob } from '../job/loadJob.ts';
import { evaluateDataset } from './evaluateDataset.ts';
import type { GradientThreadData } from './gradientMessages.ts';
import { RankBatches } from './RankBatches.ts';
import { RankSums } from './RankSums.ts';
import { requireIndicesInRange } from './requireIndicesInRange.ts';

export interface Training {
  readonly sums: RankSums;
  /** Reads what these ranks are to compute next, until something is computed. */
  readAhead(ranks: readonly number[], step: number): void;
  evaluate(parameters: Float32Array): Promise<Evaluation>;
  /** Which backend computes, and what there is to say about that. */
  readonly backend: string;
  readonly note: string;
}

/**
 * Opens what a rank's gradient needs: the model, the data, and a backend. The job's record decides everything that it says; the file
 * must describe the same parameters and hold the same amount of data.
 */
export async function openTraining(
  options: Omit<GradientThreadData, 'traced'>,
  trace?: Trace,
): Promise<Training> {
  const { spec } = options;
  const { job, file } = await loadJob(options.jobFile, spec.options);
  const fallbacks: string[] = [];
  const backend = await openBackend(options.compute, {
    threads: options.computeThreads,
    onFallback: (line) => fallbacks.push(line),
  });
  const shape = layoutOf(job.model);
  requireSameLayout(shape.layout, withoutMethodState(spec.layout), file);
  const { train: source, test: testSource } = job.data;
  const train = await source.open();
  if (train.size !== spec.trainSize) {
    throw new TributaryError(
      'FAILED_PRECONDITION',
      `${source.description} has ${train.size} training examples here, the job has ${spec.trainSize}`,
      { hint: 'Every worker needs the same data.' },
    );
  }
  let test: Dataset | undefined;
  const program = new GradientProgram(backend, job.model, shape);
  const batches = new RankBatches(train, spec, trace);
  const first = await batches.first();
  const { backend: chosen, indexes } = await program.prepare(first);
  const { flat } = await initialParameters(job.model, spec.seed);
  if (indexes) {
    const batchSize = Object.values(first)[0].shape[0];
    const { model } = job;
    const lookingUp = { program, model, shape, parameters: flat, batchSize, lastBatch: spec.lastBatch };
    await requireIndicesInRange(lookingUp, train, source.description);
    if (testSource !== undefined && spec.evaluateEverySteps > 0) {
      test = await testSource.open();
      await requireIndicesInRange(lookingUp, test, testSource.description);
    }
  }
  if (spec.lastBatch === 'padded') await requireWeighted(program, flat, first);
  if (spec.method?.hyperparameters.gaussNewton === true) await requireTwoParts(program, flat, first);
  if (options.selfCheck && chosen === 'native') {
    await selfCheck(program, job.model, shape, flat, first);
  }
  return {
    sums: new RankSums(
      program,
      batches,
      segmentsOf(spec, { begin: 0, end: spec.layout.length }),
      createKernels(),
      needsSquares(spec),
      trace,
    ),
    readAhead: (ranks, step) => batches.readAhead(ranks, step),
    async evaluate(current) {
      await batches.rest();
      test ??= await testSource?.open();
      if (test === undefined) throw new TributaryError('FAILED_PRECONDITION', `${file} names no test data`);
      return evaluateDataset(program, test, current, spec.lastBatch);
    },
    backend: chosen,
    note: fallbacks.join('; '),
  };
}

function requireSameLayout(found: Layout, expected: Layout, file: string): void {
  const difference = firstDifference(found, expected);
  if (difference === undefined) return;
  throw new TributaryError(
    'FAILED_PRECONDITION',
    `${file} describes another model than the job: parameter ${difference.index} is ${difference.found} here, ${difference.expected} in the job`,
    { hint: 'Start every process of a job with the same file.' },
  );
}
