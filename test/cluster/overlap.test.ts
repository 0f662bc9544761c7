import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../client/TcpProxy.ts';
import { freePort } from '../support/freePort.ts';
import { type TracedSpan, traceOf } from './traceOf.ts';
import { jobFile, start, temporaryFolder } from './tributary.ts';

const steps = 30;
const ranks = 8;

/** What one worker did on its job while the server was some milliseconds away. */
async function trace(job: string, flags: readonly string[] = []): Promise<TracedSpan[]> {
  const folder = temporaryFolder();
  const at = ['--coordinator', `sqlite:${join(folder, 'job.sqlite')}`, '--job', job];
  const bind = `127.0.0.1:${await freePort()}`;
  const proxy = await TcpProxy.to(bind, { delayMs: 5 });
  onTestFinished(() => proxy.close());
  const path = join(folder, 'trace.json');
  const server = start(['server', ...at, '--bind', bind, '--advertise', proxy.address]);
  const worker = start(['worker', jobFile(job), ...at, '--trace', path]);
  const controller = start(['controller', jobFile(job), ...at, '--steps', `${steps}`, ...flags]);
  for (const { ended } of [controller, worker]) {
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
  }
  server.child.kill('SIGTERM');
  await server.ended;
  return traceOf(path);
}

const named = (spans: readonly TracedSpan[], name: string, args: Readonly<Record<string, number>> = {}) =>
  spans.filter(
    (span) => span.name === name && Object.keys(args).every((key) => span.args[key] === args[key]),
  );

const overlap = (a: TracedSpan, b: TracedSpan) => a.beginMs < b.endMs && b.beginMs < a.endMs;

/** The steps between the first, for which programs are compiled, and the last. */
const middle = Array.from({ length: steps - 6 }, (_, index) => index + 3);

/** A machine that is busy may hold up a thread for longer than the wire is long; but not most of the time. */
const expectMostly = (holds: readonly boolean[]) =>
  expect(holds.filter((held) => held).length).toBeGreaterThan(holds.length / 2);

describe('seen in a trace, while pushes and pulls are under way,', { timeout: 60_000 }, () => {
  test('the next minibatches are read, and the next parameters asked for before the last push is answered', async () => {
    const spans = await trace('paced');
    const holds = [];
    for (const step of middle) {
      const [push] = named(spans, 'push', { step }).slice(-1);
      const [wait] = named(spans, 'wait', { step: step + 1 });
      expect(wait.beginMs).toBeLessThan(push.endMs);
      holds.push(named(spans, 'read batch', { step: step + 1 }).some((read) => overlap(read, push)));
    }
    expectMostly(holds);
  });

  test('the gradient of the next rank is computed, where each is encoded by itself, and many are on their way', async () => {
    const spans = await trace('blobs', ['--encoding', 'int8']);
    const pushOf = (step: number, rank: number) => named(spans, 'push', { step, rankBegin: rank })[0];
    const holds = middle.flatMap((step) =>
      Array.from({ length: ranks - 1 }, (_, rank) => {
        const push = pushOf(step, rank);
        const [compute] = named(spans, 'compute gradient', { step, rank: rank + 1 });
        return overlap(push, compute);
      }),
    );
    expectMostly(holds);
    expectMostly(middle.map((step) => overlap(pushOf(step, 0), pushOf(step, 3))));
  });

  test.each([
    ['pullingAhead', true],
    ['blobs', false],
  ] as const)('asynchronous ranks of the job %s compute: %s', async (job, pullsAhead) => {
    const spans = await trace(job, ['--staleness', 'infinity']);
    const computes = middle.flatMap((step) => named(spans, 'compute gradient', { step }));
    expect(computes).toHaveLength(middle.length * ranks);
    const network = ['push', 'wait', 'pull'].flatMap((name) => named(spans, name));
    const holds = computes.map((compute) => network.some((span) => overlap(span, compute)));
    if (pullsAhead) expectMostly(holds);
    else expect(holds).not.toContain(true);
  });
});
