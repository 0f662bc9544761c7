/**
 * Vectors of one length, for whatever a shard needs one for: to receive a gradient, to sum, to hold a version of the parameters. A gradient that came can so become the sum, and the sum the next
 * parameters, without a copy. As the memory of the kernels is never given back singly, none may get lost.
 */
export class VectorPool {
  readonly #allocate: () => Float32Array;
  readonly #free: Float32Array[] = [];

  constructor(allocate: () => Float32Array) {
    this.#allocate = allocate;
  }

  /** With whatever it was used for before still in it. */
  take(): Float32Array {
    return this.#free.pop() ?? this.#allocate();
  }

  give(vector: Float32Array): void {
    this.#free.push(vector);
  }
}
