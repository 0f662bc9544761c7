import { type ErrorCode, TributaryError } from '@tributary/core/errors/TributaryError.ts';

/** What Redis answers where it could answer but will not: pattern, code, what is wrong, what to do. */
const refusals: readonly (readonly [RegExp, ErrorCode, string, string])[] = [
  [
    /\b(NOAUTH|WRONGPASS)\b|invalid password/i,
    'UNAUTHENTICATED',
    'refuses the password',
    'Give the right one in the address: redis://:PASSWORD@HOST:PORT.',
  ],
  [
    /\bNOPERM\b/,
    'PERMISSION_DENIED',
    'does not let this user do what is needed',
    'Allow it: ACL SETUSER NAME ~tributary:* +@all.',
  ],
  [
    /\bOOM\b/,
    'RESOURCE_EXHAUSTED',
    'has used all of its maxmemory',
    'Raise maxmemory or keep fewer checkpoints. What was saved before is still there.',
  ],
  [
    /\bMISCONF\b/,
    'RESOURCE_EXHAUSTED',
    'cannot write to its disk and takes no changes',
    'Free space on the disk of Redis; its log says more. What was saved before is still there.',
  ],
  [/\bREADONLY\b/, 'FAILED_PRECONDITION', 'is a read-only replica', 'Give the address of the primary.'],
  [
    /\bMOVED\b/,
    'FAILED_PRECONDITION',
    'is a node of a Redis Cluster that does not hold this job',
    'Give the address of the node that holds it; all keys of a job are on one.',
  ],
  [
    /DB index|SELECT is not allowed/,
    'INVALID_ARGUMENT',
    'has no database of that number',
    'Leave out the number at the end of the address, or give one that it has.',
  ],
];

/** The one place where an error of ioredis or a reply of Redis becomes a TributaryError. `url` is shown: it carries no password. */
export function translateRedisError(error: unknown, url: string): TributaryError {
  if (error instanceof TributaryError) return error;
  const text = describe(error);
  for (const [pattern, code, wrong, hint] of refusals) {
    if (pattern.test(text))
      return new TributaryError(code, `Redis at ${url} ${wrong}`, { hint, cause: error });
  }
  const isReply = error instanceof Error && error.name === 'ReplyError';
  if (isReply && !/\b(LOADING|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN)\b/.test(text)) {
    return new TributaryError('INTERNAL', `Redis at ${url} answered: ${text}`, { cause: error });
  }
  return new TributaryError('UNAVAILABLE', `Redis at ${url} cannot be reached (${text})`, {
    hint: 'Start it, or give its address: redis://HOST:PORT.',
    cause: error,
  });
}

/** Of several addresses tried, Node tells the errors one by one and the whole without a message. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
