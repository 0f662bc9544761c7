import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ParameterClient } from '@tributary/client/ParameterClient.ts';
import { parameterService } from '@tributary/client/transport/parameterService.ts';
import { errorCodes } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../support/freePort.ts';

interface Call {
  readonly method: string;
  readonly deadlineMs: number;
}

type Answer = Record<string, unknown>;
/** What comes after a request of an exchange: headers of answers, of whatever call if they do not say, and chunks. */
type Answering = (request: Answer & { what: string }) => { header?: Answer; chunk?: unknown }[];

/** A server of the same contract that does only what a test says. */
async function fakeServer(handlers: Record<string, unknown> & { exchange?: Answering }, port = 0) {
  const server = new Server();
  const calls: Call[] = [];
  const all: [string, (call: never, ...rest: unknown[]) => void][] = Object.keys(parameterService).map(
    (method) => [
      method,
      (call: { getDeadline(): Date | number }, ...rest) => {
        calls.push({ method, deadlineMs: Number(call.getDeadline()) - Date.now() });
        (handlers[method] as ((...args: unknown[]) => void) | undefined)?.(call, ...rest);
      },
    ],
  );
  if (handlers.Exchange === undefined) {
    all.push([
      'Exchange',
      (call: ServerDuplexStream<Answer, Answer>) => exchange(call, calls, handlers.exchange),
    ]);
  }
  server.addService(parameterService, Object.fromEntries(all) as UntypedServiceImplementation);
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, found) =>
      error ? reject(error) : resolve(found),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  return { address: `127.0.0.1:${bound}`, calls };
}

function exchange(call: ServerDuplexStream<Answer, Answer>, calls: Call[], answering?: Answering): void {
  call.on('data', ({ header: request }: { header?: Answer & { what: string } }) => {
    if (request === undefined) return;
    calls.push({ method: request.what, deadlineMs: Number.NaN });
    for (const { header, chunk } of answering?.(request) ?? [])
      call.write(header === undefined ? { chunk } : { header: { call: request.call, ...header } });
  });
  call.on('error', () => {});
}

function clientOf(addresses: string[], options: { retryTotalMs?: number } = {}) {
  const shards = addresses.map((address, index) => ({ begin: index * 4, end: index * 4 + 4, address }));
  const messages: string[] = [];
  const client = new ParameterClient({
    jobHash: 'a',
    generation: 1,
    shards,
    log: (_, message) => messages.push(message),
    ...options,
  });
  onTestFinished(() => client.close());
  return Object.assign(client, { messages });
}

const pushOf = (gradient: Float32Array | undefined) => ({
  ranks: { begin: 0, end: 1 },
  step: 0,
  tokens: [1],
  weight: 1,
  loss: 1,
  squares: 0,
  gradient,
});

const refuse =
  (code: keyof typeof errorCodes): handleUnaryCall<unknown, unknown> =>
  (_, callback) =>
    callback({ code: errorCodes[code], details: 'because' });

test('every call has a deadline, and ends when its signal fires', async () => {
  const { address, calls } = await fakeServer({});
  const client = clientOf([address]);
  const vector = new Float32Array(4);
  const contribution = {
    ...{ ranks: { begin: 0, end: 1 }, step: 0, round: 0, tokens: [1] },
    ...{ weight: 1, loss: 0, values: new Float32Array(4) },
  };
  const given: Record<string, [number, (options: { signal: AbortSignal }) => Promise<unknown>]> = {
    Describe: [limits.callDeadlineMs, (options) => client.describe(options)],
    BlockSquares: [
      limits.pullWaitMs + limits.callDeadlineMs,
      (options) => client.blockSquares(0, 0, options),
    ],
    CheckpointPart: [500 + limits.callDeadlineMs, (options) => client.checkpointPart(0, 0, 500, options)],
    EndAt: [limits.callDeadlineMs, (options) => client.endAt(0, options)],
    Reduce: [limits.pullDeadlineMs, (options) => client.reduce(contribution, vector, options)],
  };
  // Other clients push and pull by calls of their own, this one over an exchange.
  const elsewhere = ['Exchange', 'Pull', 'Push'];
  expect([...Object.keys(given), ...elsewhere].sort()).toEqual(Object.keys(parameterService).sort());
  for (const [method, [most, call]] of Object.entries(given)) {
    const controller = new AbortController();
    const done = expect(call({ signal: controller.signal }), method).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await expect.poll(() => calls.at(-1)?.method).toBe(method);
    expect(calls.at(-1)!.deadlineMs, method).toBeLessThanOrEqual(most);
    controller.abort();
    await done;
  }
});

test('a push and a pull have a deadline each, and end when their signal fires', async () => {
  const { address, calls } = await fakeServer({});
  const client = clientOf([address]);
  const vector = new Float32Array(4);
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const given: Record<string, [number, (options: { signal: AbortSignal }) => Promise<unknown>]> = {
    pull: [limits.pullDeadlineMs, (options) => client.pull(0, vector, options)],
    push: [limits.pushDeadlineMs, (options) => client.push(pushOf(vector), options)],
  };
  for (const [what, [deadlineMs, call]] of Object.entries(given)) {
    timers.mockClear();
    const controller = new AbortController();
    const done = expect(call({ signal: controller.signal }), what).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await expect.poll(() => calls.some(({ method }) => method === what)).toBe(true);
    expect(timers.mock.calls.map(([, delayMs]) => delayMs)).toContain(deadlineMs);
    controller.abort();
    await done;
    // And the server is told.
    await expect.poll(() => calls.at(-1)?.method).toBe('cancel');
  }
});

test('a server of a version without exchanges is refused by the name of the method', async () => {
  const details = 'The server does not implement the method /tributary.v1.ParameterServer/Exchange';
  const { address } = await fakeServer({
    Exchange: (call: { emit(event: string, error: object): void }) =>
      call.emit('error', { code: errorCodes.UNIMPLEMENTED, details }),
  });
  await expect(clientOf([address]).pull(0, new Float32Array(4))).rejects.toMatchObject({
    code: 'UNIMPLEMENTED',
    message: `server ${address}: ${details}`,
  });
});

test('closing the client ends its calls, also those that are being tried again', async () => {
  const { address } = await fakeServer({ EndAt: refuse('UNAVAILABLE') });
  const client = clientOf([address]);
  const ends = [client.pull(0, new Float32Array(4)), client.endAt(1)].map((call) =>
    expect(call).rejects.toMatchObject({ code: 'CANCELLED' }),
  );
  await expect.poll(() => client.messages.length).toBe(1);
  await client.close();
  await Promise.all(ends);
});

test('a refusal is thrown at once, with the server that gave it', async () => {
  const { address, calls } = await fakeServer({ EndAt: refuse('FAILED_PRECONDITION') });
  await expect(clientOf([address]).endAt(3)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: `server ${address}: because`,
  });
  expect(calls).toHaveLength(1);
});

test('a server that answers UNAVAILABLE is asked again until it is ready, and that is said once', async () => {
  let asked = 0;
  const { address } = await fakeServer({
    EndAt: ((call, callback) =>
      ++asked < 4
        ? refuse('UNAVAILABLE')(call, callback)
        : callback(null, { endStep: 8 })) as handleUnaryCall<unknown, unknown>,
  });
  const client = clientOf([address]);
  expect(await client.endAt(8)).toBe(8);
  expect(asked).toBe(4);
  expect(client.messages).toEqual([`server ${address}: because; trying again`]);
});

test('a server that is not there yet is waited for; one that never comes is given up, by name', async () => {
  const port = await freePort();
  const client = clientOf([`127.0.0.1:${port}`]);
  const done = client.endAt(8);
  await expect.poll(() => client.messages.length).toBe(1);
  await fakeServer(
    { EndAt: ((_, callback) => callback(null, { endStep: 8 })) as handleUnaryCall<unknown, unknown> },
    port,
  );
  expect(await done).toBe(8);

  const nobody = `127.0.0.1:${await freePort()}`;
  await expect(clientOf([nobody], { retryTotalMs: 100 }).endAt(1)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(nobody),
  });
});

test('when one shard refuses, the calls to the others end too', async () => {
  let cancelled = false;
  const silent = await fakeServer({
    EndAt: (call: { on(event: string, listener: () => void): void }) =>
      call.on('cancelled', () => (cancelled = true)),
  });
  const refusing = await fakeServer({ EndAt: refuse('NOT_FOUND') });
  await expect(clientOf([silent.address, refusing.address]).endAt(3)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  await expect.poll(() => cancelled).toBe(true);
});

test('the end that shards agree on is the latest that one of them needs', async () => {
  const endAt =
    (least: number): handleUnaryCall<{ step: number }, unknown> =>
    ({ request }, callback) =>
      callback(null, { endStep: Math.max(least, request.step) });
  const [first, second] = [await fakeServer({ EndAt: endAt(6) }), await fakeServer({ EndAt: endAt(7) })];
  expect(await clientOf([first.address, second.address]).endAt(2)).toBe(7);
  expect(first.calls).toHaveLength(2);
});

test('a gradient that is not finite goes only to the shard that will name it, so that no other applies its part', async () => {
  const rejecting = (reason: string) => ({
    exchange: ({ what }: { what: string }) =>
      what === 'end' ? [{ header: { push: { outcome: 'REJECTED', reason, clock: 0, endStep: 9 } } }] : [],
  });
  const [first, second] = [await fakeServer(rejecting('first')), await fakeServer(rejecting('second'))];
  const gradient = new Float32Array(8);
  gradient[5] = Number.NaN;
  const client = clientOf([first.address, second.address]);
  expect(await client.push(pushOf(gradient))).toMatchObject({ outcome: 'rejected', reason: 'second' });
  expect(first.calls).toHaveLength(0);
});

const pull = { header: { pull: { ready: true, version: 0, clock: 0, endStep: 9, length: 4 } } };
const end = { header: { end: true } };
const chunk = (offset: number, elements: number) => ({ chunk: { offset, data: Buffer.alloc(elements * 4) } });

test.each([
  ['a chunk before the header', [chunk(0, 4), end], 'a chunk came before the header'],
  ['no header', [end], 'an answer ended that had not begun'],
  ['a gap', [pull, chunk(1, 3), end], 'came in disorder: 12 bytes in all'],
  [
    'the same twice',
    [pull, chunk(0, 2), chunk(0, 2), end],
    'came in disorder: a chunk of 8 bytes at element 0',
  ],
  ['too much', [pull, chunk(0, 5), end], 'came in disorder: a chunk of 20 bytes at element 0'],
  ['too little', [pull, chunk(0, 3), end], 'came in disorder: 12 bytes in all'],
  ['an answer that is none', [{ header: {} }], 'an answer says nothing'],
])('%s in what a server sends is noticed', async (_, answers, reason) => {
  const { address } = await fakeServer({ exchange: ({ what }) => (what === 'pull' ? answers : []) });
  await expect(clientOf([address]).pull(0, new Float32Array(4))).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining(reason),
  });
});
