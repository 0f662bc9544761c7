import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
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
