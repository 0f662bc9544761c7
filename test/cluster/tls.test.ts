import { randomUUID } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, inject, test } from 'vitest';
import { certificateFlags } from '../support/certificates.ts';
import { jobFile, run, start, temporaryFolder, train } from './tributary.ts';

const job = jobFile('choosable');

test('a cluster over TLS trains to the same bits; who has no certificate of its authority is refused', {
  timeout: 120_000,
}, async () => {
  const folder = temporaryFolder();
  const [ours, theirs] = [await certificateFlags(folder, 'ours'), await certificateFlags(folder, 'theirs')];
  const at = ['--coordinator', inject('redisUrl'), '--job', `tls-${randomUUID()}`];
  const server = start(['server', ...at, ...ours, '--bind', '127.0.0.1:0']);
  await server.shows(/serving at 127\.0\.0\.1:\d+ by @grpc\/grpc-js over TLS/);
  const port = Number(/serving at 127\.0\.0\.1:(\d+)/.exec(server.output.stderr)![1]);
  const controller = start(['controller', job, ...at, ...ours, '--lease-ms', '2000']);

  // Of another authority: it holds the ranks, and reaches nobody.
  const stranger = start(['worker', job, ...at, ...theirs, '--lease-ms', '2000']);
  await stranger.shows(/warning: .*127\.0\.0\.1:\d+.*trying again/i);
  stranger.child.kill('SIGKILL');
  await stranger.ended;

  const worker = start(['worker', job, ...at, ...ours, '--lease-ms', '2000']);
  expect((await worker.ended).code, worker.output.stderr).toBe(0);
  expect((await controller.ended).code, controller.output.stderr).toBe(0);
  const evaluated = await run(['evaluate', job, ...at, '--json']);
  const plain = await train([job, '--runs', folder]);
  expect(JSON.parse(evaluated.stdout).parametersSha256).toBe(plain.parametersSha256);

  expect(await plainAnswer(port)).toBe('');
  expect(await answerWithoutCertificate(port)).toMatch(/alert|certificate|closed/i);
  server.child.kill('SIGTERM');
  await server.ended;
});

/** What a server that speaks TLS says to a client of HTTP/2 without it. */
function plainAnswer(port: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connectSocket(port, '127.0.0.1', () => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

function answerWithoutCertificate(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed'));
  });
}

test('flags of TLS that do not go together, or name no usable files, are refused', {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder();
  const flags = await certificateFlags(folder, 'ours');
  const server = ['server', '--coordinator', `sqlite:${folder}/c`, '--job', 'j'];
  for (const [args, says] of [
    [flags.slice(0, 2), /TLS needs --tls-ca, --tls-cert and --tls-key/],
    [[...flags, '--transport', 'fast'], /the fast path has no TLS\. Leave out --transport/],
    [[...flags.slice(0, 5), '/nowhere.pem'], /there is no file \/nowhere\.pem\. Correct --tls-key/],
    [[...flags.slice(0, 5), flags[3]], /the files of --tls-ca, --tls-cert and --tls-key cannot be used/],
  ] as const) {
    const { code, stderr } = await run([...server, ...args]);
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
  }
});
