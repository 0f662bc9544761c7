import { limits } from '@tributary/core/limits/limits.ts';
import type { Program } from './ComputeBackend.ts';

/** Compiled programs by key; the one unused for longest is disposed of when there are too many. */
export class ProgramCache {
  /** In the order of last use, the oldest first. Holds promises, so that two callers do not compile the same program twice. */
  readonly #programs = new Map<string, Promise<Program>>();
  readonly #entriesMax: number;

  constructor(entriesMax: number = limits.compiledProgramsMax) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#programs.size;
  }

  /** The program for `key`, compiled if it is new. A failed compilation is not kept. */
  get(key: string, compile: () => Promise<Program>): Promise<Program> {
    const program = this.#programs.get(key) ?? compile();
    this.#programs.delete(key);
    this.#programs.set(key, program);
    program.catch(() => this.#programs.delete(key));
    if (this.#programs.size > this.#entriesMax) {
      const [oldestKey, oldest] = this.#programs.entries().next().value!;
      this.#programs.delete(oldestKey);
      dispose(oldest);
    }
    return program;
  }

  dispose(): void {
    for (const program of this.#programs.values()) dispose(program);
    this.#programs.clear();
  }
}

function dispose(program: Promise<Program>): void {
  // A program that failed to compile has nothing to dispose of; its caller heard of the failure.
  program.then(
    (compiled) => compiled.dispose(),
    () => {},
  );
}
