import { invariant } from '@tributary/core/errors/invariant.ts';

/** The parameters of a shard as they were after some updates. Never changes while somebody holds it. */
export interface Version {
  readonly values: Float32Array;
  /** In the synchronous mode the step that begins from them, otherwise the number of updates in them. */
  readonly number: number;
}

/**
 * The parameters of a shard, now and one update before. An update writes the next version into a buffer that nobody reads, so that what is being
 * sent or saved is always one version, whole, and readers and updates never wait for each other. At rest there are two buffers; a reader that
 * is two updates behind costs a third, which is kept for the next such. (A copy for every reader would be safe too, and cost a pass over memory per pull.)
 */
export class ParameterVersions {
  #current: Version;
  #previous: Version | undefined;
  readonly #readers = new Map<Version, number>();
  readonly #allocate: (length: number) => Float32Array;
  /** As vectors are not given back singly, none may get lost. */
  readonly #free: Float32Array[] = [];

  constructor(
    values: Float32Array,
    number: number,
    allocate: (length: number) => Float32Array = (length) => new Float32Array(length),
  ) {
    this.#current = { values, number };
    this.#allocate = allocate;
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
    if (version !== this.#current && version !== this.#previous) this.#free.push(version.values);
  }

  /** Gives up the version before, and lets `update` write the next one from the current one. No one sees it until it is whole. */
  advance(number: number, update: (out: Float32Array, current: Float32Array) => void): void {
    const out = this.#spare();
    update(out, this.#current.values);
    this.#previous = this.#current;
    this.#current = { values: out, number };
  }

  #spare(): Float32Array {
    const retired = this.#previous;
    this.#previous = undefined;
    if (retired !== undefined && !this.#readers.has(retired)) return retired.values;
    return this.#free.pop() ?? this.#allocate(this.#current.values.length);
  }
}
