import type { JobSpec } from '@tributary/core/job/JobSpec.ts';
import type { ParameterVersions, Version } from './ParameterVersions.ts';

/**
 * What is done about gradients that were computed from older parameters than those they are applied to. For the correction the shard keeps the last versions, as
 * many as there are ranks: one rank's gradient is some as many updates late. One that is later still is corrected from the oldest.
 */
export class LateGradients {
  readonly #slower: boolean;
  readonly #lambda: number;
  readonly #ranks: number;
  readonly #versions: ParameterVersions;
  /** Held, oldest first. */
  readonly #kept: Version[] = [];

  constructor(
    { learningRateByStaleness = false, delayCompensation = 0, ranks }: JobSpec,
    versions: ParameterVersions,
  ) {
    this.#slower = learningRateByStaleness;
    this.#lambda = delayCompensation;
    this.#ranks = ranks;
    this.#versions = versions;
  }

  /** What the learning rate is multiplied with for a gradient from this version: 1 over the updates that came since. */
  rateFactor(version: number): number {
    const updates = this.#versions.current.number - version;
    return this.#slower && updates > 1 ? 1 / updates : 1;
  }

  /** Whether a gradient from this version is to be corrected. */
  corrects(version: number): boolean {
    return this.#lambda > 0 && version < this.#versions.current.number;
  }

  /** gradient <- gradient + lambda gradient^2 (parameters now - parameters then), element by element: the diagonal of g g' in place of the Hessian. */
  correct(gradient: Float32Array, version: number): void {
    const now = this.#versions.current;
    const from = this.#kept.find(({ number }) => number >= version)?.values ?? now.values;
    for (let i = 0; i < gradient.length; i++) {
      gradient[i] += this.#lambda * gradient[i] * gradient[i] * (now.values[i] - from[i]);
    }
  }

  /** To be called before an update replaces the current version. */
  keepCurrent(): void {
    if (this.#lambda === 0) return;
    this.#kept.push(this.#versions.hold(this.#versions.current));
    if (this.#kept.length > this.#ranks) this.#versions.release(this.#kept.shift()!);
  }
}
