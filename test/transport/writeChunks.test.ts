import { EventEmitter, getEventListeners } from 'node:events';
import { writeChunks } from '@tributary/client/transport/writeChunks.ts';
import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { expect, test } from 'vitest';

const large = 100_000;

/** Takes messages at once, and has room after each until `rooms` are used up. */
class TestStream extends EventEmitter {
  readonly offsets: number[] = [];
  readonly written: (() => void)[] = [];
  rooms = Number.POSITIVE_INFINITY;

  write({ chunk }: { chunk: Chunk }, written: () => void): boolean {
    this.offsets.push(chunk.offset);
    this.written.push(written);
    return --this.rooms > 0;
  }
}

const chunksOf = (bytes: number, count: number) =>
  Array.from({ length: count }, (_, offset) => ({ offset, data: new Uint8Array(bytes) }));

test('it settles when the last large chunk is bytes of a message, and waits for room before', async () => {
  const stream = new TestStream();
  stream.rooms = 2;
  const order: string[] = [];
  const done = writeChunks(stream, chunksOf(large, 3), new AbortController().signal, () =>
    order.push('queued'),
  ).then(() => order.push('done'));
  expect(stream.offsets).toEqual([0, 1]);
  stream.rooms = 9;
  stream.emit('drain');
  await new Promise(setImmediate);
  expect(stream.offsets).toEqual([0, 1, 2]);
  expect(order).toEqual(['queued']);
  for (const written of stream.written) written();
  await done;
  expect(order).toEqual(['queued', 'done']);
});

test('small chunks are copied: their memory is free at once', async () => {
  const stream = new TestStream();
  const chunks = chunksOf(100, 2);
  const sent: Uint8Array[] = [];
  stream.write = ({ chunk }) => {
    sent.push(chunk.data);
    return true;
  };
  await writeChunks(stream, chunks, new AbortController().signal);
  for (const { data } of chunks) data.fill(7);
  for (const data of sent) expect(data).toEqual(new Uint8Array(100));
});

test('when the stream ends nobody waits any more', async () => {
  for (const rooms of [1, 9]) {
    const stream = new TestStream();
    stream.rooms = rooms;
    const ended = new AbortController();
    const done = writeChunks(stream, chunksOf(large, 3), ended.signal);
    ended.abort();
    await done;
    expect(stream.offsets).toEqual(rooms === 1 ? [0] : [0, 1, 2]);
  }
});

test('a stream that lasts collects nothing, however much is sent', async () => {
  const stream = new TestStream();
  const ended = new AbortController();
  for (let call = 0; call < 20; call++) {
    stream.rooms = 2;
    const done = writeChunks(stream, chunksOf(large, 3), ended.signal);
    stream.rooms = 9;
    stream.emit('drain');
    await new Promise(setImmediate);
    for (const written of stream.written.splice(0)) written();
    await done;
  }
  expect(getEventListeners(ended.signal, 'abort')).toHaveLength(0);
  expect(stream.listenerCount('drain')).toBe(0);
});
