import type { ErrorCode } from '@tributary/core/errors/TributaryError.ts';

/** What the command's exit codes mean; `tributary --help` says the same. */
export const exitCodes = {
  done: 0,
  /** Something failed on the way; trying again may help. */
  failed: 1,
  /** Wrong flags, job file or data: trying again without a change will not help. */
  refused: 2,
  /** Ctrl-C, after a clean stop: 128 + SIGINT, as shells count. */
  interrupted: 130,
} as const;

const refusals: readonly ErrorCode[] = [
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
];

export function exitCodeOf(code: ErrorCode): number {
  return refusals.includes(code) ? exitCodes.refused : exitCodes.failed;
}
