import { setTimeout as sleep } from 'node:timers/promises';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { retryDelayMs } from './retry.ts';

export interface RetryOptions {
  /** How long to go on after the first failure. */
  readonly totalMs: number;
  /** Ends the tries. */
  readonly signal: AbortSignal;
  /** Told once of failures in a row that are tried again and have lasted for `toldAfterMs`. */
  readonly onFailure?: (error: TributaryError) => void;
  readonly toldAfterMs?: number;
}

/** Makes a call that is safe to repeat, again and again as retryDelayMs says. Throws what the last try threw, or CANCELLED once `signal` has fired. */
export async function callWithRetries<Result>(
  attempt: () => Promise<Result>,
  { totalMs, signal, onFailure, toldAfterMs = 0 }: RetryOptions,
): Promise<Result> {
  let firstFailureMs: number | undefined;
  let told = false;
  for (let failures = 1; ; failures++) {
    if (signal.aborted) throw cancelled(signal.reason);
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw cancelled(error);
      if (!(error instanceof TributaryError)) throw error;
      firstFailureMs ??= performance.now();
      const elapsedMs = performance.now() - firstFailureMs;
      const delayMs = retryDelayMs({ code: error.code, failures, elapsedMs, totalMs, random: Math.random() });
      if (delayMs === undefined) throw error;
      if (!told && elapsedMs >= toldAfterMs) {
        told = true;
        onFailure?.(error);
      }
      await pause(delayMs, signal);
    }
  }
}

/** Throws CANCELLED when `signal` fires. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch (cause) {
    throw cancelled(cause);
  }
}

function cancelled(cause: unknown): TributaryError {
  return new TributaryError('CANCELLED', 'the call was cancelled', { cause });
}
