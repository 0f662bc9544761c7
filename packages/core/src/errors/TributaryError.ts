/** The closed list of error codes: the names and numbers of gRPC's status codes, so that no edge needs a second list. */
export const errorCodes = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/**
 * The one error class. `message` says what was wrong and where in one line; `hint`, if present, says what to do.
 * Operating errors are thrown as this class; a plain Error means a broken invariant.
 */
export class TributaryError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TributaryError';
    this.code = code;
    this.hint = options.hint;
  }

  /** The error as one line for a person: message, then what to do. */
  get line(): string {
    return this.hint === undefined ? this.message : `${this.message}. ${this.hint}`;
  }
}

/** Anything thrown, as the one error class: for edges that hand errors on. */
export function asTributaryError(error: unknown): TributaryError {
  if (error instanceof TributaryError) return error;
  return new TributaryError('UNKNOWN', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
