import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ArrayFunction, ArraySpec, CompileOptions, ComputeBackend, Program } from './ComputeBackend.ts';

/** Native wherever a program can be lowered, reference where it cannot; and it says so, once for each reason. */
export class AutoBackend implements ComputeBackend {
  readonly name = 'auto';
  readonly #native: ComputeBackend;
  readonly #reference: ComputeBackend;
  readonly #onFallback: (line: string) => void;
  readonly #told = new Set<string>();

  constructor(native: ComputeBackend, reference: ComputeBackend, onFallback: (line: string) => void) {
    this.#native = native;
    this.#reference = reference;
    this.#onFallback = onFallback;
  }

  async compile(fn: ArrayFunction, inputs: readonly ArraySpec[], options?: CompileOptions): Promise<Program> {
    try {
      return await this.#native.compile(fn, inputs, options);
    } catch (error) {
      if (!(error instanceof TributaryError) || error.code !== 'UNIMPLEMENTED') throw error;
      const line = `${error.message}; using the reference backend, which is slower`;
      if (!this.#told.has(line)) this.#onFallback(line);
      this.#told.add(line);
      return this.#reference.compile(fn, inputs, options);
    }
  }
}
