import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { type ComputeChoice, openBackend } from '@tributary/worker/compute/openBackend.ts';
import type { PreparedJob } from '../parameters/prepareJob.ts';

const warmUps = 30;
const samples = 500;

/** How long the trained model takes for one example, in ms, one by one; by `predict`, or where the model has none by its loss. One thread. */
export async function measureInference(
  { job, shape }: PreparedJob,
  flat: Float32Array,
  compute: ComputeChoice,
): Promise<number[]> {
  const data = await (job.data.test ?? job.data.train).open();
  const program = new GradientProgram(await openBackend(compute), job.model, shape);
  try {
    const times: number[] = [];
    for (let index = 0; index < warmUps + samples; index++) {
      const batch = await data.read(Uint32Array.of(index % data.size));
      const beganAtMs = performance.now();
      await (job.model.predict === undefined ? program.loss(flat, batch) : program.predict(flat, batch));
      if (index >= warmUps) times.push(performance.now() - beganAtMs);
    }
    return times;
  } finally {
    program.dispose();
    await data.close();
  }
}
