import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch, DataSource } from '@tributary/worker/data/Dataset.ts';
import { onTestFinished } from 'vitest';

/** A folder of the test's own, gone after it. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-data-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** The path of a file with this content, gone after the test. */
export async function testFile(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await testFolder(), name);
  await writeFile(path, content);
  return path;
}

/** Opens a source and reads the given examples, or all. */
export async function readAll<Name extends string>(
  source: DataSource<Name>,
  examples?: readonly number[],
): Promise<Batch<Name>> {
  const dataset = await source.open();
  try {
    return await dataset.read(Uint32Array.from(examples ?? Array(dataset.size).keys()));
  } finally {
    await dataset.close();
  }
}

/** What a source throws when it is opened or when it is read. */
export async function failure(source: DataSource): Promise<Error> {
  return readAll(source).then(
    () => new Error('nothing was thrown'),
    (error: Error) => error,
  );
}
