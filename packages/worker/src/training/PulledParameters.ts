import type { ParameterClient, PullResult } from '@tributary/client/ParameterClient.ts';

/** What a pull found, and where it is. */
export interface Pulled extends PullResult {
  readonly values: Float32Array;
}

interface Asked {
  readonly client: ParameterClient;
  readonly step: number;
  readonly giveUp: AbortController;
  /** Settles when nobody writes to the vector any more; undefined if nothing came. */
  readonly answer: Promise<Pulled | undefined>;
}

/**
 * The parameters that are computed from, and those of the next turn, which may be asked for early: the servers answer as soon as that may begin. With one vector they come in
 * the place of those that are there, so nothing may be computed from these any more; with two, into the other one.
 */
export class PulledParameters {
  readonly #vectors: readonly Float32Array[];
  #current = 0;
  #asked: Asked | undefined;

  /** One or two, in shared memory. */
  constructor(vectors: readonly Float32Array[]) {
    this.#vectors = vectors;
  }

  get length(): number {
    return this.#vectors[0].length;
  }

  /** Were some asked for that nobody has taken yet? */
  get isAhead(): boolean {
    return this.#asked !== undefined;
  }

  /** Asks for the parameters of a step. Only once until they are taken. */
  ask(client: ParameterClient, step: number, signal: AbortSignal): void {
    const giveUp = new AbortController();
    const either = AbortSignal.any([signal, giveUp.signal]);
    const values = this.#vectors[this.#next];
    const answer = client.pull(step, values, { signal: either }).then(
      (result) => ({ ...result, values }),
      () => undefined,
    );
    this.#asked = { client, step, giveUp, answer };
  }

  /** Those of a step: as they were asked for, or if that was for another step or client, or failed, by a pull now. Throws as `ParameterClient.pull`. */
  async take(client: ParameterClient, step: number, signal: AbortSignal): Promise<Pulled> {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked !== undefined && (asked.client !== client || asked.step !== step)) asked.giveUp.abort();
    const answer = await asked?.answer;
    const next = this.#next;
    const values = this.#vectors[next];
    const pulled =
      answer === undefined || asked?.giveUp.signal.aborted
        ? { ...(await client.pull(step, values, { signal })), values }
        : answer;
    this.#current = next;
    return pulled;
  }

  get #next(): number {
    return (this.#current + 1) % this.#vectors.length;
  }
}
