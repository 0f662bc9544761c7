import { defaultDevice, init, numpy as np, random, valueAndGrad } from '@jax-js/jax';
import { createSampler } from '@tributary/worker/data/sampler.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';

type Tree = Record<string, np.Array>;

/**
 * What the cluster has to agree with: Adam in a loop, in one process, written from the paper's algorithm 1 in float64, on one gradient of the whole
 * minibatch of all ranks. Of the product it uses the job file and the order of the data, nothing else.
 */
export async function plainTraining(file: string, steps: number): Promise<Float32Array> {
  await init('wasm');
  defaultDevice('wasm');
  const { job } = await loadJob(file);
  const data = await job.data.train.open();
  const batchSize = job.batchSize!;
  const sampler = createSampler({
    sampling: 'shuffled',
    seed: job.seed,
    ranks: job.ranks,
    batchSize,
    size: data.size,
  });
  const first = job.model.init(random.key(job.seed)) as Tree;
  const names = Object.keys(first);
  const shapes = names.map((name) => first[name].shape);
  const tensors = names.map((name) => Float64Array.from(first[name].dataSync() as Float32Array));
  const m = tensors.map((tensor) => new Float64Array(tensor.length));
  const v = tensors.map((tensor) => new Float64Array(tensor.length));
  const { learningRate } = job.optimizer.hyperparameters as { learningRate: number };

  for (let step = 0; step < steps; step++) {
    const examples = Array.from({ length: job.ranks }, (_, rank) => [...sampler.examples(rank, step)]).flat();
    const batch = await data.read(Uint32Array.from(examples));
    const arrays = Object.fromEntries(
      Object.entries(batch).map(([name, { data, shape }]) => [
        name,
        np.array(data.slice()).reshape([...shape]),
      ]),
    );
    const parameters = Object.fromEntries(
      names.map((name, i) => [name, np.array(Float32Array.from(tensors[i])).reshape([...shapes[i]])]),
    );
    const [loss, gradients] = valueAndGrad((p: Tree) => job.model.loss(p, arrays))(parameters);
    loss.dispose();
    const gradient = names.map((name) =>
      Float64Array.from((gradients as Tree)[name].dataSync() as Float32Array),
    );
    const norm = Math.hypot(...gradient.map((tensor) => Math.hypot(...tensor)));
    const scale = Math.min(1, (job.clipping.norm ?? Number.POSITIVE_INFINITY) / norm);
    for (const [i, tensor] of tensors.entries()) {
      for (let k = 0; k < tensor.length; k++) {
        const g = gradient[i][k] * scale;
        m[i][k] = 0.9 * m[i][k] + 0.1 * g;
        v[i][k] = 0.999 * v[i][k] + 0.001 * g * g;
        const mHat = m[i][k] / (1 - 0.9 ** (step + 1));
        const vHat = v[i][k] / (1 - 0.999 ** (step + 1));
        tensor[k] -= (learningRate * mHat) / (Math.sqrt(vHat) + 1e-8);
      }
    }
  }
  return Float32Array.from(tensors.flatMap((tensor) => [...tensor]));
}
