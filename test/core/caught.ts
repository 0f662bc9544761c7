import type { TributaryError } from '@tributary/core/errors/TributaryError.ts';

/** What `action` throws, for tests that look at its fields. */
export function caught(action: () => unknown): TributaryError {
  try {
    action();
  } catch (error) {
    return error as TributaryError;
  }
  throw new Error('nothing was thrown');
}
