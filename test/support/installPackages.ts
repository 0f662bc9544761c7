import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Installs packages of Debian that the tests need, where this user may. Throws with what apt-get said if it cannot be. */
export async function installPackages(...names: string[]): Promise<void> {
  console.log(`Installing ${names.join(', ')}, which the tests need.`);
  await asRoot('apt-get', 'update');
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  await asRoot('apt-get', ...wait, 'install', '-y', '--no-install-recommends', ...names);
}

export async function asRoot(...command: string[]): Promise<void> {
  const [program, ...rest] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command];
  await run(program, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: 300_000 });
}
