import { close, createReadStream, createWriteStream, fstat, open, read } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

// File descriptors and not FileHandles: Node ends the process when a handle that nobody closed is collected as garbage, which is too hard
// on a job file that forgets to close a data set.
const openFile = promisify(open);
const readFile = promisify(read);
const statFile = promisify(fstat);
const closeFile = promisify(close);

/** Where data lies: a path, relative to the job file's folder, or a `file:` URL. Files in gzip are known by their first bytes. */
export type FilePath = string | URL;

/** A file of data, open for reading at any position. */
export interface DataFile {
  /** Absolute, for messages. */
  readonly path: string;
  /** In bytes; of what was inflated, if the file is in gzip. */
  readonly size: number;
  /** Fills `target` with the bytes from `position` on, which must all be in the file. */
  read(target: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a file; one in gzip is inflated into a temporary file, so that memory stays small whatever the size. The temporary file has no name any
 * more once it is open, and so is gone with the process however that ends.
 * Throws NOT_FOUND, PERMISSION_DENIED, or DATA_LOSS for a damaged gzip file, naming the file.
 */
export async function openDataFile(file: FilePath, folder = process.cwd()): Promise<DataFile> {
  const path = file instanceof URL ? fileURLToPath(file) : resolve(folder, file);
  let descriptor = await openRegularFile(path);
  if (await isGzip(descriptor)) {
    await closeFile(descriptor);
    descriptor = await openInflated(path);
  }
  const { size } = await statFile(descriptor);
  return {
    path,
    size,
    async read(target, position) {
      let filled = 0;
      while (filled < target.length) {
        const rest = target.length - filled;
        const { bytesRead } = await readFile(descriptor, target, filled, rest, position + filled);
        if (bytesRead === 0) {
          throw new TributaryError(
            'DATA_LOSS',
            `${path} ends at byte ${position + filled}, but had ${size} bytes when it was opened`,
            { hint: 'Leave data files as they are while a job reads them.' },
          );
        }
        filled += bytesRead;
      }
    },
    close: () => closeFile(descriptor),
  };
}

async function openRegularFile(path: string): Promise<number> {
  let descriptor: number;
  try {
    descriptor = await openFile(path, 'r');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new TributaryError('NOT_FOUND', `there is no data file ${path}`, {
        cause,
        hint: 'Relative paths in a job file start at the folder of that file.',
      });
    }
    throw new TributaryError(
      code === 'EACCES' ? 'PERMISSION_DENIED' : 'UNAVAILABLE',
      `${path} cannot be opened: ${message}`,
      { cause },
    );
  }
  if ((await statFile(descriptor)).isFile()) return descriptor;
  await closeFile(descriptor);
  throw new TributaryError('INVALID_ARGUMENT', `${path} is not a file`);
}

async function isGzip(descriptor: number): Promise<boolean> {
  const { bytesRead, buffer } = await readFile(descriptor, new Uint8Array(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

async function openInflated(path: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-'));
  const inflated = join(folder, 'inflated');
  try {
    await pipeline(createReadStream(path), createGunzip(), createWriteStream(inflated));
    return await openFile(inflated, 'r');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC') {
      throw new TributaryError('RESOURCE_EXHAUSTED', `${path} needs more room in ${tmpdir()} than there is`, {
        cause,
        hint: 'Inflate the file beforehand with gunzip, or let TMPDIR name a folder with room.',
      });
    }
    throw new TributaryError('DATA_LOSS', `${path} is not a whole gzip file: ${message}`, { cause });
  } finally {
    await rm(folder, { recursive: true });
  }
}
