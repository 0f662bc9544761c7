import { type ErrorCode, TributaryError } from '@tributary/core/errors/TributaryError.ts';

const sqliteBusy = 5;

/** SQLite's primary result codes that an operator can meet: code, what is wrong, what to do. */
const failures: ReadonlyMap<number, readonly [ErrorCode, string, string]> = new Map([
  [3, ['PERMISSION_DENIED', 'may not be opened', 'Give a path that this user may write.']],
  [
    sqliteBusy,
    [
      'UNAVAILABLE',
      'is locked by another process',
      'It is tried again by itself; if this goes on, end the process that holds it.',
    ],
  ],
  [8, ['PERMISSION_DENIED', 'may not be written', 'Give a path that this user may write.']],
  [
    10,
    [
      'UNAVAILABLE',
      'cannot be read or written',
      'The disk or its file system fails; see the log of the system.',
    ],
  ],
  [11, ['DATA_LOSS', 'is damaged', 'Restore the file, or give another path and begin anew.']],
  [
    13,
    [
      'RESOURCE_EXHAUSTED',
      'does not fit on its disk',
      'Free space, or keep fewer checkpoints. What was saved before is still there.',
    ],
  ],
  [
    14,
    [
      'PERMISSION_DENIED',
      'cannot be opened',
      'Give the path of a file in a folder that this user may write.',
    ],
  ],
  [26, ['FAILED_PRECONDITION', 'is no SQLite database', 'Give another path; the file was left as it is.']],
]);

/** The one place where an error of node:sqlite or of the file system becomes a TributaryError. */
export function translateSqliteError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof TributaryError) return error;
  const { errcode, code } = error as { errcode?: number; code?: string };
  const failure = errcode === undefined ? undefined : failures.get(primary(errcode));
  if (failure !== undefined) {
    const [errorCode, wrong, hint] = failure;
    return new TributaryError(errorCode, `the coordinator file ${path} ${wrong}`, { hint, cause: error });
  }
  if (code === 'ERR_INVALID_STATE') {
    return new TributaryError('UNAVAILABLE', `the coordinator file ${path} is closed`, { cause: error });
  }
  if (errcode !== undefined) {
    return new TributaryError('INTERNAL', `the coordinator file ${path}: ${error.message}`, { cause: error });
  }
  return error;
}

/** SQLITE_BUSY: another process is writing. */
export function isBusy(error: unknown): boolean {
  const errcode = (error as { errcode?: number }).errcode;
  return errcode !== undefined && primary(errcode) === sqliteBusy;
}

/** The low byte; the rest says more closely what failed. */
function primary(errcode: number): number {
  return errcode & 0xff;
}
