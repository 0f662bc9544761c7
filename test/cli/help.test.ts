import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run, start, temporaryFolder } from '../cluster/tributary.ts';

const commands = [
  'train',
  'evaluate',
  'predict',
  'export',
  'status',
  'compare',
  'tune',
  'controller',
  'server',
  'worker',
  'aggregator',
  'doctor',
];

test('the help of every command says what it does, its flags, and examples', async () => {
  const results = await Promise.all(commands.map((command) => run([command, '--help'])));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`^Usage: tributary ${commands[index]} \\[options\\]`));
    expect(stdout).toMatch(/^Examples?:\n {2}tributary /m);
    expect(stdout).toMatch(new RegExp(`^ {2}tributary ${commands[index]}`, 'm'));
    // What starts and ends a managed process is no business of the user.
    expect(stdout).not.toContain('--managed');
  }
});

test('the help of the whole names all commands and the exit codes', async () => {
  const [help, bare] = await Promise.all([run(['--help']), run([])]);
  expect(help.code).toBe(0);
  for (const command of commands) expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  expect(help.stdout).toContain('Exit codes: 0 done, 1 failed on the way, 2 refused');
  // Without a command there is nothing to do: that is refused, and the help goes where errors go.
  expect(bare).toMatchObject({ code: 2, stdout: '', stderr: help.stdout });
});

test('--version is that of the package', async () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../packages/cli/package.json', import.meta.url), 'utf8'),
  );
  expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('what a command compiled is kept for the next one', async () => {
  const folder = temporaryFolder();
  const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
  const version = start(['--version'], { env: { ...environment, TMPDIR: folder } });
  expect(await version.ended).toMatchObject({ code: 0 });
  const kept = readdirSync(join(folder, 'node-compile-cache'), { recursive: true });
  expect(kept.length).toBeGreaterThan(20);
});
