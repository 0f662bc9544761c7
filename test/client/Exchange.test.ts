import { Exchange, type ExchangeWire } from '@tributary/client/transport/Exchange.ts';
import type {
  ExchangeAnswer,
  ExchangeRequest,
  PullHeader,
  PullRequest,
  PushHeader,
  PushReply,
} from '@tributary/client/transport/messages.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { describe, expect, test, vi } from 'vitest';

/* What an exchange sends and makes of answers, over a wire that takes a chunk when the test says so. */

class TestWire implements ExchangeWire {
  readonly sent: string[] = [];
  readonly broken: TributaryError[] = [];
  #chunks: Iterator<Chunk> | undefined;
  #taken: (() => void) | undefined;

  send({ call, what }: ExchangeRequest): void {
    this.sent.push(`${what} ${call}`);
  }

  sendChunks(chunks: Iterable<Chunk>, taken: () => void): void {
    this.#chunks = chunks[Symbol.iterator]();
    this.#taken = taken;
  }

  breakOff(error: TributaryError): void {
    this.broken.push(error);
  }

  /** Takes the next chunk, or finds that there is none. */
  take(): void {
    const next = this.#chunks!.next();
    if (next.done !== true) this.sent.push(`chunk ${next.value.offset}`);
    else this.#taken!();
  }
}

const chunks = [0, 1, 2].map((offset) => ({ offset, data: new Uint8Array(4) }));
const pushHeader = {} as PushHeader;
const pullRequest = {} as PullRequest;
const reply: PushReply = { outcome: 'APPLIED', reason: '', clock: 1, endStep: 9 };
const pullHeader: PullHeader = {
  ...{ ready: true, version: 1, clock: 1, endStep: 9 },
  ...{ length: 3, encoding: 'F32' },
};

function start({ open = true } = {}) {
  const exchange = new Exchange('there:1');
  const wire = new TestWire();
  if (open) exchange.open(wire);
  const controller = new AbortController();
  const limits = { deadlineMs: 60_000, signal: controller.signal };
  const added: number[] = [];
  const receiver = { place: () => undefined, add: ({ offset }: Chunk) => void added.push(offset) };
  return {
    ...{ exchange, wire, added },
    giveUp: () => controller.abort(),
    push: (given = limits) => exchange.push(pushHeader, chunks, given),
    pull: (given = limits) => exchange.pull(pullRequest, receiver, given),
    other: { deadlineMs: 60_000, signal: new AbortController().signal },
    answer: (answer: ExchangeAnswer) => exchange.message({ header: answer }),
    chunk: (offset: number) => exchange.message({ chunk: { offset, data: new Uint8Array(4) } }),
  };
}

const cancelled = { code: 'CANCELLED', message: 'server there:1: the call was cancelled' };

test('pushes go one after the other, pulls between their chunks; answers come in any order', async () => {
  const { wire, push, pull, answer, chunk, added } = start();
  const calls = [push(), push(), pull()];
  for (let index = 0; index < 8; index++) wire.take();
  expect(wire.sent).toEqual([
    ...['push 1', 'pull 3', 'chunk 0', 'chunk 1', 'chunk 2', 'end 1'],
    ...['push 2', 'chunk 0', 'chunk 1', 'chunk 2', 'end 2'],
  ]);
  answer({ call: 3, what: 'pull', pull: pullHeader });
  chunk(0);
  answer({ call: 2, what: 'push', push: { ...reply, clock: 2 } });
  chunk(1);
  answer({ call: 3, what: 'end', end: true });
  answer({ call: 1, what: 'push', push: reply });
  expect(await Promise.all(calls)).toEqual([reply, { ...reply, clock: 2 }, pullHeader]);
  expect(added).toEqual([0, 1]);
});

test('calls wait for the wire; those that were given up before are never sent', async () => {
  const { exchange, wire, push, pull, other, giveUp } = start({ open: false });
  const gone = [push(), pull()].map((call) => expect(call).rejects.toMatchObject(cancelled));
  void push(other).catch(() => {});
  void pull(other).catch(() => {});
  giveUp();
  await Promise.all(gone);
  await expect(pull()).rejects.toMatchObject(cancelled);
  exchange.open(wire);
  expect(wire.sent).toEqual(['push 3', 'pull 4']);
});

test('a deadline ends a call, and the server is told', async () => {
  vi.useFakeTimers();
  try {
    const { wire, pull } = start();
    const late = expect(pull({ deadlineMs: 50, signal: new AbortController().signal })).rejects.toMatchObject(
      {
        code: 'DEADLINE_EXCEEDED',
        message: 'server there:1: no answer within 50 ms',
      },
    );
    vi.advanceTimersByTime(50);
    await late;
    expect(wire.sent).toEqual(['pull 1', 'cancel 1']);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

describe('a call that is given up', () => {
  test('while it waits is taken back, and its answer is for nobody', async () => {
    const { wire, push, pull, giveUp, other, answer, chunk, added } = start();
    const sending = push(other);
    const queued = push();
    const waiting = pull();
    giveUp();
    for (const call of [queued, waiting]) await expect(call).rejects.toMatchObject(cancelled);
    answer({ call: 3, what: 'pull', pull: pullHeader });
    chunk(0);
    answer({ call: 3, what: 'end', end: true });
    for (let index = 0; index < 4; index++) wire.take();
    answer({ call: 1, what: 'push', push: reply });
    expect(await sending).toEqual(reply);
    expect(added).toEqual([]);
    expect(wire.sent).toEqual(['push 1', 'pull 3', 'cancel 3', 'chunk 0', 'chunk 1', 'chunk 2', 'end 1']);
    expect(wire.broken).toEqual([]);
  });

  test('after all of it was sent is taken back', async () => {
    const { wire, push, giveUp, answer } = start();
    const sent = push();
    for (let index = 0; index < 4; index++) wire.take();
    giveUp();
    await expect(sent).rejects.toMatchObject(cancelled);
    expect(wire.sent.slice(-2)).toEqual(['end 1', 'cancel 1']);
    answer({ call: 1, what: 'push', push: reply });
  });

  test.each(['a push', 'an answer'])(
    'in the middle of %s takes the stream with it, and never says that it ended',
    async (which) => {
      const { exchange, wire, push, pull, giveUp, other, answer } = start();
      const isPush = which === 'a push';
      const call = isPush ? push() : pull();
      const beside = pull(other);
      if (isPush) wire.take();
      else answer({ call: 1, what: 'pull', pull: pullHeader });
      let settled = false;
      const done = call.catch((error: unknown) => {
        settled = true;
        return error;
      });
      giveUp();
      expect(wire.broken).toHaveLength(1);
      expect(exchange.isOver).toBe(true);
      await Promise.resolve();
      // Its memory may be in use until the stream has come to rest.
      expect(settled).toBe(false);
      if (isPush) for (let index = 0; index < 3; index++) wire.take();
      exchange.lost(wire.broken[0]);
      expect(await done).toMatchObject(cancelled);
      await expect(beside).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(wire.sent).not.toContain('end 1');
    },
  );
});

test('a push that is answered early settles when its memory is free, and the next one follows', async () => {
  const { wire, push, answer } = start();
  const [first, second] = [push(), push()];
  wire.take();
  let settled = false;
  const done = first.catch((error: unknown) => {
    settled = true;
    return error;
  });
  answer({ call: 1, what: 'refusal', refusal: { code: 3, message: 'too long' } });
  await Promise.resolve();
  expect(settled).toBe(false);
  wire.take();
  expect(await done).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'server there:1: too long' });
  expect(wire.sent).toEqual(['push 1', 'chunk 0', 'cancel 1', 'push 2']);
  for (let index = 0; index < 4; index++) wire.take();
  answer({ call: 2, what: 'push', push: reply });
  expect(await second).toEqual(reply);
});

test('what a receiver throws is the failure of its call alone', async () => {
  const { exchange, pull, other, answer } = start();
  const broken = new TributaryError('INTERNAL', 'in disorder');
  const receiver = {
    place: () => undefined,
    add: () => {
      throw broken;
    },
  };
  const failing = exchange.pull(pullRequest, receiver, other);
  const beside = pull();
  answer({ call: 1, what: 'pull', pull: pullHeader });
  expect(() => exchange.message({ chunk: chunks[0] })).toThrow(broken);
  exchange.lost(broken);
  await expect(failing).rejects.toBe(broken);
  await expect(beside).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('an answer of the wrong kind ends the stream', async () => {
  const { push, pull, wire, answer } = start();
  void push().catch(() => {});
  void pull().catch(() => {});
  for (let index = 0; index < 4; index++) wire.take();
  const internal = (message: string) => expect.objectContaining({ code: 'INTERNAL', message });
  expect(() => answer({ call: 1, what: 'pull', pull: pullHeader })).toThrow(
    internal('server there:1: a push was answered as a pull'),
  );
  expect(() => answer({ call: 2, what: 'push', push: reply })).toThrow(
    internal('server there:1: a pull was answered as a push'),
  );
});

test('when the stream is lost every call fails with the reason', async () => {
  const { exchange, push, pull } = start();
  const reason = new TributaryError('UNAVAILABLE', 'gone');
  const calls = [push(), push(), pull()].map((call) => expect(call).rejects.toBe(reason));
  exchange.lost(reason);
  await Promise.all(calls);
  expect(exchange.isOver).toBe(true);
});
