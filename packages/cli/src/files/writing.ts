import { type ErrorCode, TributaryError } from '@tributary/core/errors/TributaryError.ts';

/** Error of the file system, our code, what is wrong, what to do. */
const failures: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  ENOENT: [
    'NOT_FOUND',
    'cannot be written: its folder does not exist',
    'Make the folder, or give another path.',
  ],
  ENOTDIR: ['INVALID_ARGUMENT', 'cannot be written: part of its path is a file', 'Give another path.'],
  EEXIST: ['INVALID_ARGUMENT', 'is a file, but must be a folder', 'Give another path.'],
  EISDIR: ['INVALID_ARGUMENT', 'is a folder, but must be a file', 'Give the path of a file.'],
  EACCES: ['PERMISSION_DENIED', 'may not be written', 'Give a path that this user may write.'],
  EPERM: ['PERMISSION_DENIED', 'may not be written', 'Give a path that this user may write.'],
  EROFS: ['PERMISSION_DENIED', 'is on a disk that may only be read', 'Give a path on another disk.'],
  ENOSPC: ['RESOURCE_EXHAUSTED', 'does not fit on its disk', 'Free space, or give a path on another disk.'],
};

/** Does `work`, which writes to `path`; what the file system refuses becomes a TributaryError that names it. */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const failure = failures[(cause as NodeJS.ErrnoException).code ?? ''];
    if (failure === undefined) throw cause;
    const [code, wrong, hint] = failure;
    throw new TributaryError(code, `${path} ${wrong}`, { hint, cause });
  }
}
