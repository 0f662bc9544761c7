import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newestValidCheckpoint } from '@tributary/coordinator/checkpoints/newestValidCheckpoint.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { SqliteCoordinator } from '@tributary/coordinator/sqlite/SqliteCoordinator.ts';
import { SqliteFile } from '@tributary/coordinator/sqlite/SqliteFile.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pseudoRandomBytes, writeChunks } from '../support/exampleCheckpoint.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-sqlite-'));
});

afterEach(() => rm(folder, { recursive: true }));

test('processes that race for a lease on one file never hold it together, and no token is given twice', async () => {
  const path = join(folder, 'coordinator.sqlite');
  const racers = ['a', 'b', 'c'].map((holder) => race(path, holder, 40));
  const turns = (await Promise.all(racers)).flat().sort((a, b) => a.token - b.token);
  expect(turns).toHaveLength(3 * 40);
  expect(new Set(turns.map(({ token }) => token)).size).toBe(turns.length);
  for (const [i, turn] of turns.entries()) {
    // Each turn was over before the one with the next greater token began.
    if (i > 0) expect(turn.tookAtMs).toBeGreaterThanOrEqual(turns[i - 1].gaveBackAtMs);
  }
});

test('a process killed in the middle of a write leaves what was written before, and the lock free', async () => {
  const path = join(folder, 'coordinator.sqlite');
  const script = new URL('./checkpointForever.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await ended;
  const coordinator = await openCoordinator(`sqlite:${path}`, 'job');
  const found = await newestValidCheckpoint(coordinator.checkpoints, {
    onCorrupt: ({ id }, reason) => expect.fail(`${id}: ${reason}`),
  });
  expect(found).toBeDefined();
  expect(await coordinator.acquireLease('other', 'b', 60_000)).toBeDefined();
  await coordinator.close();
});

test('a full disk is RESOURCE_EXHAUSTED; the checkpoint before stays readable, and there is room again after it is made', async () => {
  const file = await SqliteFile.open(join(folder, 'coordinator.sqlite'));
  const coordinator = new SqliteCoordinator(file, 'job');
  const { checkpoints } = coordinator;
  const fence = (await coordinator.acquireLease('controller', 'a', 60_000))!;
  const chunks = [pseudoRandomBytes(300_000), pseudoRandomBytes(200_000, 2)];
  const before = await writeChunks(checkpoints, 'before', chunks);
  expect(await checkpoints.commit(before, fence)).toBe('written');

  // SQLite's own bound answers as a full disk does, with SQLITE_FULL.
  file.database.exec('PRAGMA max_page_count = 200');
  const failing = writeChunks(checkpoints, 'after', [
    pseudoRandomBytes(200_000, 3),
    pseudoRandomBytes(200_000, 4),
  ]);
  await expect(failing).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message: expect.stringContaining(file.path),
  });
  expect(await newestValidCheckpoint(checkpoints)).toEqual(before);
  expect(await coordinator.renewLease(fence, 60_000)).toBe('renewed');

  file.database.exec('PRAGMA max_page_count = 100000');
  const after = await writeChunks(checkpoints, 'after', [pseudoRandomBytes(200_000, 3)], { step: 20 });
  expect(await checkpoints.commit(after, fence)).toBe('written');
  expect(await newestValidCheckpoint(checkpoints)).toEqual(after);
  await coordinator.close();
});

test('a folder that cannot be made is one clear error', async () => {
  await writeFile(join(folder, 'file'), '');
  const path = join(folder, 'file', 'below', 'coordinator.sqlite');
  await expect(openCoordinator(`sqlite:${path}`, 'job')).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: `the folder of the coordinator file ${path} cannot be made (ENOTDIR)`,
  });
});

test('a path that is a folder is one clear error', async () => {
  await expect(openCoordinator(`sqlite:${folder}`, 'job')).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: `the coordinator file ${folder} cannot be opened`,
  });
});

test('a file that is no database is refused and left as it is', async () => {
  const path = join(folder, 'notes.txt');
  const text = 'no database at all, but a text that is long enough to have a header. '.repeat(20);
  await writeFile(path, text);
  await expect(openCoordinator(`sqlite:${path}`, 'job')).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: `the coordinator file ${path} is no SQLite database`,
  });
  expect(await readFile(path, 'utf8')).toBe(text);
});

test('the database of another program is refused and left as it is', async () => {
  const path = join(folder, 'other.sqlite');
  const other = new DatabaseSync(path);
  other.exec('CREATE TABLE bookmarks (url TEXT)');
  other.close();
  const before = await readFile(path);
  await expect(openCoordinator(`sqlite:${path}`, 'job')).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: `${path} is the database of another program`,
  });
  expect(Buffer.compare(await readFile(path), before)).toBe(0);
});

test('a file written by a newer version is refused', async () => {
  const path = join(folder, 'coordinator.sqlite');
  await (await openCoordinator(`sqlite:${path}`, 'job')).close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 2');
  database.close();
  await expect(openCoordinator(`sqlite:${path}`, 'job')).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('newer Tributary (version 2 of its tables; this one knows 1)'),
  });
});

test('a writer never holds up a reader, and another writer for a bounded time in which the event loop goes on', async () => {
  const path = join(folder, 'coordinator.sqlite');
  const coordinator = await openCoordinator(`sqlite:${path}`, 'job');
  const locker = new DatabaseSync(path);
  locker.exec('BEGIN EXCLUSIVE');
  expect(await coordinator.placement()).toBeUndefined();
  let turns = 0;
  const counter = setInterval(() => turns++, 10);
  await expect(coordinator.acquireLease('x', 'a', 60_000)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `the coordinator file ${path} is locked by another process`,
  });
  clearInterval(counter);
  expect(turns).toBeGreaterThan(10);
  const waiting = coordinator.acquireLease('x', 'a', 60_000);
  locker.exec('ROLLBACK');
  expect(await waiting).toMatchObject({ holder: 'a' });
  locker.close();
  await coordinator.close();
});

test('a closed coordinator is UNAVAILABLE', async () => {
  const coordinator = await openCoordinator(`sqlite:${join(folder, 'coordinator.sqlite')}`, 'job');
  await coordinator.close();
  await coordinator.close();
  await expect(coordinator.placement()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

interface Turn {
  token: number;
  tookAtMs: number;
  gaveBackAtMs: number;
}

/** A process of its own that takes and gives back the lease so many times. */
async function race(path: string, holder: string, turns: number): Promise<Turn[]> {
  const script = new URL('./raceForLease.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, path, holder, String(turns)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = await child.stdout.setEncoding('utf8').toArray();
  return JSON.parse(output.join(''));
}
