/**
 * Started as a process of its own: takes many steps of a small network, and prints the resident memory now and then, in bytes, as JSON.
 * Arguments: the backend, the number of steps.
 */
import { random } from '@jax-js/jax';
import { initialParameters } from '@tributary/worker/autodiff/initialParameters.ts';
import { GradientProgram } from '@tributary/worker/compute/GradientProgram.ts';
import { type ComputeChoice, openBackend } from '@tributary/worker/compute/openBackend.ts';
import type { Model } from '@tributary/worker/job/Model.ts';
import { relu } from '@tributary/worker/nn/activations.ts';
import { type Affine, dense, initialDense } from '@tributary/worker/nn/layers.ts';
import { crossEntropy } from '@tributary/worker/nn/losses.ts';

const [choice, steps] = [process.argv[2] as ComputeChoice, Number(process.argv[3])];
const model: Model = {
  init: (key) => {
    const keys = random.split(key, 2);
    return [initialDense(keys.ref.slice(0), 64, 48), initialDense(keys.slice(1), 48, 10)];
  },
  loss: (p, { x, label }) => {
    const [hidden, out] = p as [Affine, Affine];
    return crossEntropy(dense(out, relu(dense(hidden, x))), label);
  },
};
const { flat, ...shape } = await initialParameters(model, 1);
const program = new GradientProgram(await openBackend(choice), model, shape);
const gradient = new Float32Array(new SharedArrayBuffer(4 * flat.length));
const examples = 32;
const batch = {
  x: { shape: [examples, 64], data: Float32Array.from({ length: 64 * examples }, (_, k) => Math.sin(k * k)) },
  label: { shape: [examples], data: Int32Array.from({ length: examples }, (_, k) => k % 10) },
};
const resident: number[] = [];
const samples = 20;
for (let step = 0; step < steps; step++) {
  await program.run(flat, batch, gradient);
  if ((step + 1) % (steps / samples) === 0) {
    globalThis.gc?.();
    resident.push(process.memoryUsage.rss());
  }
}
console.log(JSON.stringify(resident));
