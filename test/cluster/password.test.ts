import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RedisProcess } from '../support/RedisProcess.ts';
import { childrenOf } from './childrenOf.ts';
import { jobFile, start, temporaryFolder } from './tributary.ts';

test('the password of Redis is in no output, no argument of a process, and no file that others may read', {
  timeout: 60_000,
}, async () => {
  const redis = await RedisProcess.start(['--requirepass', 'topsecret']);
  onTestFinished(() => redis.stop());
  const runs = temporaryFolder();
  const url = redis.url.replace('//', '//:topsecret@');
  const flags = ['--runs', runs, '--steps', '400', '--verbose'];
  const running = start(['train', jobFile('paced'), ...flags], {
    env: { ...process.env, TRIBUTARY_COORDINATOR: url },
  });
  await running.shows(/server 1: info: serving at/);
  await running.shows(/^step \d+\//m);
  const children = childrenOf(running.child.pid!);
  expect(children.map(({ role }) => role).sort()).toEqual(['server', 'server', 'worker', 'worker']);
  const everything = execFileSync('ps', ['-o', 'args=', '-p', children.map(({ pid }) => pid).join()], {
    encoding: 'utf8',
  });
  expect(everything).not.toContain('topsecret');
  running.child.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  expect(code).toBe(130);
  expect(stdout + stderr).not.toContain('topsecret');
  const [folder] = readdirSync(runs);
  expect(statSync(join(runs, folder, 'config.json')).mode & 0o077).toBe(0);
});
