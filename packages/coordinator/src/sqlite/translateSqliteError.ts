import { type ErrorCode, TributaryError } from '@tributary/core/errors/TributaryError.ts';

/** SQLite's primary result codes that an operator can meet. */
const sqlite = { PERM: 3, BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 };

const otherPath = 'Give the path of a file in a folder that this user may write.';

/** Result code, our code, what is wrong, what to do. */
const failures: readonly (readonly [number, ErrorCode, string, string])[] = [
  [sqlite.PERM, 'PERMISSION_DENIED', 'may not be opened', otherPath],
  [sqlite.CANTOPEN, 'PERMISSION_DENIED', 'cannot be opened', otherPath],
  [sqlite.READONLY, 'PERMISSION_DENIED', 'may not be written', otherPath],
  [
    sqlite.BUSY,
    'UNAVAILABLE',
    'is locked by another process',
    'If this goes on, end the process that holds it.',
  ],
  [sqlite.IOERR, 'UNAVAILABLE', 'cannot be read or written', "Its disk fails; the system's log says more."],
  [sqlite.CORRUPT, 'DATA_LOSS', 'is damaged', 'Restore the file, or give another path and begin anew.'],
  [
    sqlite.FULL,
    'RESOURCE_EXHAUSTED',
    'does not fit on its disk',
    'Free space, or keep fewer checkpoints. What was saved before is still there.',
  ],
  [
    sqlite.NOTADB,
    'FAILED_PRECONDITION',
    'is no SQLite database',
    'Give another path; the file was left as it is.',
  ],
];

/** The one place where an error of node:sqlite becomes a TributaryError; any other error comes back as it is. */
export function translateSqliteError(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  const { errcode, code } = error as { errcode?: number; code?: string };
  if (code === 'ERR_INVALID_STATE') {
    return new TributaryError('UNAVAILABLE', `the coordinator file ${path} is closed`, { cause: error });
  }
  if (errcode === undefined) return error;
  const failure = failures.find(([known]) => known === primary(errcode));
  if (failure === undefined) {
    return new TributaryError('INTERNAL', `the coordinator file ${path}: ${error.message}`, { cause: error });
  }
  const [, errorCode, wrong, hint] = failure;
  return new TributaryError(errorCode, `the coordinator file ${path} ${wrong}`, { hint, cause: error });
}

/** Whether another process is writing. */
export function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && primary(errcode) === sqlite.BUSY;
}

/** The low byte; the rest says more closely what failed. */
function primary(errcode: number): number {
  return errcode & 0xff;
}
