import type { ErrorCode } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';

export interface FailedTry {
  readonly code: ErrorCode;
  /** Tries that failed since the last success: 1 for the first. */
  readonly failures: number;
  /** Since the first of them. */
  readonly elapsedMs: number;
  /** How long to go on. */
  readonly totalMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

/**
 * How long to wait before a call is made again, or undefined to give up. For calls that are safe to repeat: all of ours, a push too,
 * since a server knows it by (ranks, step). Only an unreachable server may be another one next time; every other code is its answer.
 *
 * The pause doubles with each failure and is drawn from [0, pause) ("full jitter"), so that many workers do not come back in step:
 * M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function retryDelayMs({ code, failures, elapsedMs, totalMs, random }: FailedTry): number | undefined {
  if (code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED') return undefined;
  if (elapsedMs >= totalMs) return undefined;
  const pauseMs = Math.min(limits.retryBackoffMsMax, limits.retryBackoffMs * 2 ** (failures - 1));
  return Math.min(random * pauseMs, totalMs - elapsedMs);
}
