import { once } from 'node:events';
import { Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import type { ExchangeAnswer, PullRequest, PushHeader } from '@tributary/client/transport/messages.ts';
import { parameterService, type Received } from '@tributary/client/transport/parameterService.ts';
import { errorCodes } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gradientOf, pushOf, TestCluster, testSpec } from './testCluster.ts';

/* One stream of pushes and pulls as a server sees it, from a client that says what it pleases. */

const spec = testSpec({ ranks: 2 });
const { length } = spec.layout;
const { path, requestSerialize, responseDeserialize } = parameterService.Exchange;

async function start(transport: 'grpc' | 'fast') {
  const cluster = await TestCluster.start(spec, 1, { transport });
  const client = new Client(cluster.servers[0].address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const target = { jobHash: cluster.hash, generation: 1, shard: 0 };
  const push = (change: Partial<PushHeader> = {}): PushHeader => ({
    ...{ target, rankBegin: 0, rankEnd: 1, step: 0, tokens: [1], weight: 2, loss: 1, squares: 0 },
    ...{ encoding: 'F32', version: 0, ...change },
  });
  const pull = (change: Partial<PullRequest> = {}): PullRequest => ({
    ...{ target, step: 0, latest: false, changedOnly: false, average: false, encoding: 'F32' },
    ...{ since: 0, waitMs: 0, ...change },
  });
  return { cluster, push, pull, open: () => new Stream(client) };
}

class Stream {
  /** What came, in short; `end of stream` or the status at last. */
  readonly got: string[] = [];
  readonly call: ClientDuplexStream<Buffer, Received<ExchangeAnswer>>;

  constructor(client: Client) {
    this.call = client.makeBidiStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      responseDeserialize,
      new Metadata(),
      {},
    );
    this.call.on('data', (message: Received<ExchangeAnswer>) => this.got.push(inShort(message)));
    this.call.on('error', () => {});
    this.call.on('status', ({ code, details }) => {
      const name = Object.entries(errorCodes).find(([, number]) => number === code)?.[0];
      this.got.push(code === 0 ? 'end of stream' : `${name}: ${details}`);
    });
    onTestFinished(() => this.call.cancel());
  }

  say(call: number, what: Record<string, unknown>): void {
    this.call.write(requestSerialize({ header: { call, ...what } } as never));
  }

  chunk(offset: number, elements: number): void {
    this.call.write(requestSerialize({ chunk: { offset, data: Buffer.alloc(elements * 4) } }));
  }

  /** Until so many have come. */
  async some(count: number): Promise<string[]> {
    await expect.poll(() => this.got.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
    return this.got.splice(0);
  }
}

function inShort(message: Received<ExchangeAnswer>): string {
  if ('malformed' in message) return message.malformed.message;
  if ('chunk' in message) return `chunk ${message.chunk.offset}`;
  const { header } = message;
  if (header.what === 'push') return `push ${header.call} ${header.push.outcome}`;
  if (header.what === 'pull')
    return `pull ${header.call} ${header.pull.ready ? header.pull.version : 'waits'}`;
  if (header.what === 'refusal')
    return `refusal ${header.call} ${header.refusal.code} ${header.refusal.message}`;
  return `${header.what} ${header.call}`;
}

describe.each(['grpc', 'fast'] as const)('a %s server', (transport) => {
  test('pushes and pulls travel on one stream, and a pull that waits holds up nobody', async () => {
    const { push, pull, open } = await start(transport);
    const stream = open();
    stream.say(1, { pull: pull({ step: 1, waitMs: 20_000 }) });
    stream.say(2, { pull: pull() });
    expect(await stream.some(3)).toEqual(['pull 2 0', 'chunk 0', 'end 2']);
    for (const rank of [0, 1]) {
      stream.say(3 + rank, { push: push({ rankBegin: rank, rankEnd: rank + 1 }) });
      stream.chunk(0, 1000);
      stream.say(9, { pull: pull({ step: 9 }) });
      stream.chunk(1000, length - 1000);
      stream.say(3 + rank, { end: true });
      if (rank === 0)
        expect((await stream.some(3)).sort()).toEqual(['end 9', 'pull 9 waits', 'push 3 WAITING']);
    }
    expect((await stream.some(6)).sort()).toEqual(
      ['push 4 APPLIED', 'pull 1 1', 'chunk 0', 'end 1', 'pull 9 waits', 'end 9'].sort(),
    );
    stream.call.end();
    expect(await stream.some(1)).toEqual(['end of stream']);
  });

  test('what is refused is refused by itself, and the stream goes on', async () => {
    const { cluster, push, pull, open } = await start(transport);
    const stream = open();
    const elsewhere = { jobHash: cluster.hash, generation: 1, shard: 7 };
    stream.say(1, { pull: pull({ target: elsewhere }) });
    expect(await stream.some(1)).toEqual([expect.stringMatching(/^refusal 1 5 .*shard 7/)]);
    // Refused by its header, by a chunk, and for its length: what still comes of it is dropped, and answered once.
    stream.say(2, { push: push({ target: elsewhere }) });
    stream.chunk(0, length);
    stream.say(2, { end: true });
    stream.say(3, { push: push() });
    stream.chunk(5, 10);
    stream.chunk(15, 10);
    stream.say(3, { end: true });
    stream.say(4, { push: push() });
    stream.chunk(0, length);
    stream.chunk(length, 10);
    stream.chunk(length + 10, 10);
    stream.say(4, { end: true });
    stream.say(5, { push: push() });
    stream.chunk(0, length - 1);
    stream.say(5, { end: true });
    expect(await stream.some(4)).toEqual([
      expect.stringMatching(/^refusal 2 5 .*shard 7/),
      expect.stringMatching(/^refusal 3 3 elements 0 to 4 are missing/),
      'push 4 REJECTED',
      'push 5 REJECTED',
    ]);
    // Given up in the middle, and before it began: nothing is kept, and nothing said.
    stream.say(6, { push: push() });
    stream.chunk(0, length);
    stream.say(6, { cancel: true });
    stream.say(7, { pull: pull({ step: 1, waitMs: 20_000 }) });
    stream.say(7, { cancel: true });
    stream.say(8, { cancel: true });
    stream.say(9, { push: push() });
    stream.chunk(0, length);
    stream.say(9, { end: true });
    expect(await stream.some(1)).toEqual(['push 9 WAITING']);
    expect((await cluster.client().describe())[0].outcomes).toMatchObject({
      waiting: 1,
      rejected: 2,
      applied: 0,
    });
  });

  test.each<[string, (stream: Stream, made: Awaited<ReturnType<typeof start>>) => void, string]>([
    ['a chunk of no push', (stream) => stream.chunk(0, 10), 'a chunk came that is of no push'],
    [
      'a push in a push',
      (stream, { push }) => {
        stream.say(1, { push: push() });
        stream.say(2, { push: push() });
      },
      'a push began before the one before it had ended',
    ],
    ['the end of nothing', (stream) => stream.say(1, { end: true }), 'push 1 ended, and had not begun'],
    [
      'a number twice',
      (stream, { pull }) => {
        for (let index = 0; index < 2; index++) stream.say(1, { pull: pull({ step: 1, waitMs: 20_000 }) });
      },
      'call 1 is under way already',
    ],
    ['nothing', (stream) => stream.say(1, {}), 'a request is neither a push nor a pull, and ends none'],
    ['no message', (stream) => void stream.call.write(Buffer.alloc(0)), 'neither a header nor a chunk'],
    ['no protobuf', (stream) => void stream.call.write(Buffer.from([10, 2, 8])), 'not protobuf'],
  ])('%s ends the stream with the reason, and leaves nothing', async (_, act, reason) => {
    const made = await start(transport);
    const stream = made.open();
    act(stream, made);
    const [status] = (await stream.some(1)).slice(-1);
    expect(status).toMatch(/^INVALID_ARGUMENT: /);
    expect(status).toContain(reason);
    const client = made.cluster.client();
    for (const rank of [0, 1]) await client.push(pushOf(rank, 0, gradientOf(rank, 0, length)));
    expect(await client.pull(1, new Float32Array(length))).toMatchObject({ ready: true, versions: [1] });
  });

  test('a client that is gone in the middle of a push, or while a pull waits, leaves nothing', async () => {
    const { cluster, push, pull, open } = await start(transport);
    const stream = open();
    stream.say(1, { pull: pull({ step: 1, waitMs: 60_000 }) });
    stream.say(2, { push: push() });
    stream.chunk(0, length);
    stream.say(3, { pull: pull() });
    await stream.some(3);
    stream.call.cancel();
    await stream.some(1);
    const client = cluster.client();
    expect((await client.describe())[0].outcomes).toMatchObject({ waiting: 0, applied: 0, rejected: 0 });
    expect((await client.push(pushOf(0, 0, gradientOf(0, 0, length)))).outcome).toBe('waiting');
  });

  test('a client that asks and does not read is sent away', async () => {
    const { cluster, push, open } = await start(transport);
    const stream = open();
    stream.call.pause();
    // Refusals with long reasons: they fill the windows soon.
    const elsewhere = { jobHash: 'x'.repeat(4000), generation: 1, shard: 0 };
    for (let asked = 1; asked < 20_000; asked++) {
      stream.say(asked, { push: push({ target: elsewhere }) });
      stream.say(asked, { cancel: true });
      if (!stream.call.writableNeedDrain) continue;
      const drained = once(stream.call, 'drain', { signal: AbortSignal.timeout(1000) });
      if (!(await drained.catch(() => undefined))) break;
    }
    stream.call.resume();
    await expect
      .poll(() => stream.got.at(-1), { timeout: 20_000 })
      .toBe('RESOURCE_EXHAUSTED: answers are asked for and not read');
    expect(await cluster.client().describe()).toHaveLength(1);
  });

  test('a server that stops ends streams that are idle at once, and answers what waits', async () => {
    const { cluster, pull, open } = await start(transport);
    const [idle, waiting] = [open(), open()];
    idle.say(1, { pull: pull() });
    await idle.some(3);
    waiting.say(1, { pull: pull({ step: 1, waitMs: 60_000 }) });
    waiting.say(2, { pull: pull() });
    await waiting.some(3);
    const beganMs = performance.now();
    await cluster.servers[0].stop();
    expect(performance.now() - beganMs).toBeLessThan(limits.serverDrainMs);
    expect(await idle.some(1)).toEqual(['end of stream']);
    expect(await waiting.some(2)).toEqual([expect.stringMatching(/^refusal 1 14 /), 'end of stream']);
  });
});
