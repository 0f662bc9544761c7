import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';

interface Waiter {
  /** Looks again. True once it is settled. */
  look(): boolean;
}

/** Calls that wait until something holds of a shard. They look again each time the shard changes; nothing is polled. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /**
   * What `look` returns as soon as that is not undefined, or undefined after `waitMs` or when `signal` fires. What `look` throws is thrown. Throws
   * RESOURCE_EXHAUSTED when too many wait.
   */
  async wait<Result>(
    look: () => Result | undefined,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<Result | undefined> {
    const now = look();
    if (now !== undefined || waitMs <= 0 || signal.aborted) return now;
    if (this.#waiting.size >= limits.pullsWaitingMax) {
      throw new TributaryError(
        'RESOURCE_EXHAUSTED',
        `${this.#waiting.size} calls wait on this shard already`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result | undefined>();
    const giveUp = () => {
      this.#waiting.delete(waiter);
      resolve(undefined);
    };
    const waiter: Waiter = {
      look() {
        try {
          const result = look();
          if (result === undefined) return false;
          resolve(result);
        } catch (error) {
          reject(error);
        }
        return true;
      },
    };
    this.#waiting.add(waiter);
    const timer = setTimeout(giveUp, Math.min(waitMs, limits.waitMsMax));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await promise;
    } finally {
      this.#waiting.delete(waiter);
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  wake(): void {
    for (const waiter of this.#waiting) if (waiter.look()) this.#waiting.delete(waiter);
  }
}
