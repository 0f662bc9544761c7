import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childrenOf } from './childrenOf.ts';
import { traceOf } from './traceOf.ts';
import { jobFile, run, start, temporaryFolder } from './tributary.ts';

test('--trace tells what every process did, on one clock, also of one that was killed', {
  timeout: 120_000,
}, async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'trace.json');
  const flags = ['--runs', folder, '--trace', path, '--steps', '60', '--lease-ms', '1000'];
  const running = start(['train', jobFile('blobs'), ...flags, '--encoding', 'int8', '--print-every', '1']);
  await running.shows(/^step 20 /m);
  const victim = childrenOf(running.child.pid!).find(({ role }) => role === 'worker')!;
  process.kill(victim.pid, 'SIGKILL');
  const result = await running.ended;
  expect(result.code, result.stderr).toBe(0);
  expect(existsSync(`${path}.parts`)).toBe(false);

  const spans = traceOf(path);
  const kinds = (process: string) =>
    new Set(spans.filter((span) => span.process === process).map(({ name }) => name));
  for (const server of ['server 1', 'server 2']) {
    expect(kinds(server)).toEqual(new Set(['receive', 'tree sum', 'apply', 'send', 'checkpoint']));
  }
  const work = ['read batch', 'compute gradient', 'encode', 'push', 'wait', 'pull'];
  for (const worker of ['worker 1', 'worker 2'])
    expect([...kinds(worker)]).toEqual(expect.arrayContaining(work));

  // One clock: a server applies a step before any worker has its parameters, and a worker computes it before the server applies it.
  const clockErrorMs = 1;
  for (let step = 5; step < 15; step++) {
    const of = (name: string, at: number) =>
      spans.filter((span) => span.name === name && span.args.step === at);
    const [applied] = of('apply', step);
    const computed = of('compute gradient', step);
    expect(computed.length).toBeGreaterThan(0);
    for (const { endMs } of computed) expect(endMs).toBeLessThan(applied.endMs + clockErrorMs);
    for (const { endMs } of of('pull', step + 1))
      expect(endMs).toBeGreaterThan(applied.beginMs - clockErrorMs);
  }
});

test('a trace that cannot be written is refused before anything begins', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'missing', 'trace.json');
  const result = await run(['train', jobFile('blobs'), '--runs', folder, '--trace', path]);
  expect(result.code).toBe(2);
  expect(result.stderr).toBe(
    `error: ${path} cannot be written: its folder does not exist. Make the folder, or give another path.\n`,
  );
  expect(readdirSync(folder)).toEqual([]);
});
