import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { SocketFolder } from '../../packages/cli/src/launcher/SocketFolder.ts';

test('a folder of sockets that was removed leaves nothing behind, however many trainings there are', () => {
  const before = process.listenerCount('exit');
  const folder = SocketFolder.create();
  const path = dirname(folder.address('server-1').slice('unix:'.length));
  expect(existsSync(path)).toBe(true);
  expect(process.listenerCount('exit')).toBe(before + 1);
  folder.remove();
  expect(existsSync(path)).toBe(false);
  expect(process.listenerCount('exit')).toBe(before);
});

test('a folder of a process that was killed goes with the next training, one of a living process stays', () => {
  const mine = SocketFolder.create();
  const folderOf = (pid: number) => mkdtempSync(join(tmpdir(), `tributary-sockets-${pid}-`));
  // The parent of this process lives; a number above what Linux gives out does not.
  const [living, dead] = [folderOf(process.ppid), folderOf(2 ** 22 + 1)];
  writeFileSync(join(dead, 'server-1.sock'), '');
  SocketFolder.create().remove();
  expect([living, dead].map(existsSync)).toEqual([true, false]);
  expect(existsSync(dirname(mine.address('server-1').slice('unix:'.length)))).toBe(true);
  mine.remove();
  rmSync(living, { recursive: true });
});
