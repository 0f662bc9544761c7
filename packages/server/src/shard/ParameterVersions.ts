import { invariant } from '@tributary/core/errors/invariant.ts';

/** The parameters of a shard as they were after some updates. Never changes while somebody holds it. */
export interface Version {
  readonly values: Float32Array;
  /** In the synchronous mode the step that begins from them, otherwise the number of updates in them. */
  readonly number: number;
}

/**
 * The parameters of a shard, now and one update before. Every version has a vector of its own, which comes whole and is given back when nobody can ask for it
 * any more: so what is being sent or saved is always one version, and readers and updates never wait for each other. At rest there is one vector, between
 * updates two; a reader that is two updates behind costs a third. (A copy for every reader would be safe too, and cost a pass over memory per pull.)
 */
export class ParameterVersions {
  #current: Version;
  #previous: Version | undefined;
  readonly #readers = new Map<Version, number>();
  readonly #free: (vector: Float32Array) => void;

  /** `free` gets the vectors that nobody reads any more. */
  constructor(values: Float32Array, number: number, free: (vector: Float32Array) => void) {
    this.#current = { values, number };
    this.#free = free;
  }

  get current(): Version {
    return this.#current;
  }

  get previous(): Version | undefined {
    return this.#previous;
  }

  /** Keeps a version as it is until it is released as often as it was held. */
  hold(version: Version): Version {
    this.#readers.set(version, (this.#readers.get(version) ?? 0) + 1);
    return version;
  }

  release(version: Version): void {
    const readers = this.#readers.get(version);
    invariant(readers !== undefined, 'only a version that is held can be released');
    if (readers > 1) {
      this.#readers.set(version, readers - 1);
      return;
    }
    this.#readers.delete(version);
    if (version !== this.#current && version !== this.#previous) this.#free(version.values);
  }

  /** Makes `values`, which belong to it from now on, the current version, the current one the previous, and gives up the one before. */
  advance(number: number, values: Float32Array): void {
    this.forgetPrevious();
    this.#previous = this.#current;
    this.#current = { values, number };
  }

  /** Nobody will ask for it any more. */
  forgetPrevious(): void {
    const previous = this.#previous;
    this.#previous = undefined;
    if (previous !== undefined && !this.#readers.has(previous)) this.#free(previous.values);
  }
}
