import { createReadStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

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
  let handle = await openHandle(path);
  try {
    if (await isGzip(handle)) {
      const inflated = await inflate(path);
      await handle.close();
      handle = inflated;
    }
    const { size } = await handle.stat();
    return {
      path,
      size,
      async read(target, position) {
        let filled = 0;
        while (filled < target.length) {
          const { bytesRead } = await handle.read(target, filled, target.length - filled, position + filled);
          if (bytesRead === 0) {
            throw new TributaryError(
              'DATA_LOSS',
              `${path} ends at byte ${position + filled}, but had ${size} when it was opened`,
              {
                hint: 'Leave data files as they are while a job reads them.',
              },
            );
          }
          filled += bytesRead;
        }
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openHandle(path: string): Promise<FileHandle> {
  try {
    const handle = await open(path, 'r');
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
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
  throw new TributaryError('INVALID_ARGUMENT', `${path} is not a file`);
}

async function isGzip(handle: FileHandle): Promise<boolean> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

async function inflate(path: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-'));
  try {
    const handle = await open(join(folder, 'inflated'), 'wx+');
    try {
      await pipeline(createReadStream(path), createGunzip(), handle.createWriteStream({ autoClose: false }));
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
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
