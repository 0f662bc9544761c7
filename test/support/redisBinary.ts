import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { asRoot, installPackages } from './installPackages.ts';

/** The path of redis-server; installs Debian's package where there is none and this user may. */
export async function redisBinary(): Promise<string> {
  const found = await findBinary();
  if (found !== undefined) return found;
  const problem = await install().then(
    () => 'its package was installed, but there is no such program',
    (error: Error) => error.message.trim().split('\n').at(-1),
  );
  const installed = await findBinary();
  if (installed !== undefined) return installed;
  throw new Error(
    `The tests need a Redis and found none (${problem}). ` +
      'Give one with REDIS_URL=redis://HOST:PORT, start Docker, or install redis-server (Debian: apt-get install redis-server).',
  );
}

/** On the PATH, or where Debian puts it: the PATH of some users lacks the folder. */
async function findBinary(): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']) {
    const path = join(folder || '.', 'redis-server');
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}

async function install(): Promise<void> {
  await installPackages('redis-server');
  // The package may start a service of its own; the tests have no use for it.
  await asRoot('service', 'redis-server', 'stop').catch(() => {});
}
