import type { ParameterClient } from '@tributary/client/ParameterClient.ts';
import type { RankRange } from '@tributary/core/reduction/tree.ts';

interface Outcome {
  readonly fenced?: RankRange;
  readonly failure?: unknown;
}

/** A push that nobody waits for until the next one is to begin. */
export class PushBehind {
  #client: ParameterClient | undefined;
  #outcome: Promise<Outcome> = Promise.resolve({});

  /** Only once the one before is settled. */
  start(client: ParameterClient, node: RankRange, push: Promise<'done' | 'split' | 'fenced'>): void {
    this.#client = client;
    this.#outcome = push.then(
      (outcome) => (outcome === 'fenced' ? { fenced: node } : {}),
      (failure: unknown) => ({ failure }),
    );
  }

  /** Waits for it, and tells nothing. */
  async rest(): Promise<void> {
    await this.#outcome;
  }

  /** Waits for it, and returns the ranks that others have now. Throws what it failed with, unless that was a push by another client. */
  async settle(client: ParameterClient): Promise<RankRange | undefined> {
    const outcome = await this.#outcome;
    this.#outcome = Promise.resolve({});
    if (client !== this.#client) return undefined;
    if ('failure' in outcome) throw outcome.failure;
    return outcome.fenced;
  }
}
