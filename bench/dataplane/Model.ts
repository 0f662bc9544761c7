import { createSimdKernels } from '@tributary/core/kernels/simdKernels.ts';
import { createOptimizer } from '@tributary/core/optimizer/createOptimizer.ts';

/** Parameters and optimizer state as the raw servers keep them: what a shard does for one rank, without anything around it. */
export class Model {
  readonly #kernels = createSimdKernels();
  readonly #optimizer;
  readonly #slots;
  #count = 0;
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;

  constructor(length: number, optimizer: string) {
    this.#optimizer = createOptimizer({ name: optimizer, hyperparameters: { learningRate: 1e-3 } });
    this.#slots = this.#optimizer.slots.map(() => this.#kernels.allocate(length));
    this.parameters = this.#kernels.allocate(length).fill(0.5);
    this.gradient = this.#kernels.allocate(length);
  }

  update(): void {
    if (!this.#kernels.allFinite(this.gradient)) throw new Error('a gradient that is not finite');
    const step = { count: ++this.#count, learningRate: 1e-3 };
    this.#kernels.update(this.#optimizer, this.parameters, this.parameters, this.gradient, this.#slots, step);
  }
}

export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
