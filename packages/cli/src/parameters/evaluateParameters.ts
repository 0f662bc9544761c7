import type { ParameterShape } from '@tributary/worker/autodiff/initialParameters.ts';
import { type Evaluation, GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { type ComputeChoice, openBackend } from '@tributary/worker/compute/openBackend.ts';
import type { Job } from '@tributary/worker/job/Job.ts';
import { evaluateDataset } from '@tributary/worker/training/evaluateDataset.ts';

/** Loss and accuracy on the test data, or on the training data where the job has no other. */
export async function evaluateParameters(
  job: Job,
  shape: ParameterShape,
  flat: Float32Array,
  compute: ComputeChoice,
): Promise<Evaluation & { readonly on: 'test' | 'train'; readonly examples: number }> {
  const on = job.data.test === undefined ? 'train' : 'test';
  const data = await (job.data.test ?? job.data.train).open();
  const program = new GradientProgram(await openBackend(compute), job.model, shape);
  try {
    return { ...(await evaluateDataset(program, data, flat, job.lastBatch)), on, examples: data.size };
  } finally {
    program.dispose();
    await data.close();
  }
}
