import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { jobFile, run, start, temporaryFolder } from '../cluster/tributary.ts';
import { freePort } from '../support/freePort.ts';

const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

interface Report {
  readonly findings: readonly { readonly name: string; readonly state: string }[];
  readonly launchCommand: string;
}

const statesOf = ({ findings }: Report) =>
  Object.fromEntries(findings.map(({ name, state }) => [name, state]));

test('doctor: what there is works, and the command line that it gives turns every setting on', async () => {
  const plain: Report = JSON.parse((await run(['doctor', '--json'])).stdout);
  expect(statesOf(plain)).toMatchObject({
    ...{ node: 'ok', kernels: 'ok', 'native compute': 'ok' },
    ...{ 'malloc keeps large blocks': 'off', 'buffers count with the heap': 'off' },
  });

  const line = `${plain.launchCommand.replace(' node ', ` ${process.execPath} `)} ${main} doctor --json`;
  const tuned: Report = JSON.parse((await promisify(execFile)('sh', ['-c', line])).stdout);
  const states = Object.entries(statesOf(tuned)).filter(([name]) => name !== 'huge pages of the system');
  expect(states.filter(([, state]) => state !== 'ok')).toEqual([]);
});

test('doctor: a coordinator that is not there is broken, and the exit code says so', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const { code, stdout } = await run(['doctor', '--coordinator', url]);
  expect(stdout).toMatch(/^ {2}coordinator +broken +Redis at .* cannot be reached/m);
  expect(code).toBe(1);
});

test('a server that is started by hand says which settings it lacks; those of train lack none', {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder();
  const server = start(['server', '--coordinator', `sqlite:${folder}/c.sqlite`, '--job', 'j']);
  await server.shows(
    /^warning: started without launch settings \(malloc keeps large blocks, .*tributary doctor/m,
  );
  server.child.kill('SIGTERM');
  await server.ended;

  const trained = await run(['train', jobFile('choosable'), '--runs', folder, '--verbose']);
  expect(trained.code).toBe(0);
  expect(trained.stderr).toMatch(/server 1: info: serving at/);
  expect(trained.stderr).not.toMatch(/launch settings/);
});
