import type { ParameterClient } from '@tributary/client/ParameterClient.ts';
import { PushBehind } from '@tributary/worker/training/PushBehind.ts';
import { expect, test } from 'vitest';

const client = {} as ParameterClient;
const node = { begin: 2, end: 3 };

test('what became of a push is told once, to who waits for it before the next', async () => {
  const behind = new PushBehind();
  expect(await behind.settle(client)).toBeUndefined();
  behind.start(client, node, Promise.resolve('done'));
  expect(await behind.settle(client)).toBeUndefined();
  behind.start(client, node, Promise.resolve('fenced'));
  await behind.rest();
  expect(await behind.settle(client)).toBe(node);
  expect(await behind.settle(client)).toBeUndefined();
  behind.start(client, node, Promise.reject(new Error('the server is gone')));
  await behind.rest();
  await expect(behind.settle(client)).rejects.toThrow('the server is gone');
  expect(await behind.settle(client)).toBeUndefined();
});

test('of a client that was given up nobody wants to know', async () => {
  const behind = new PushBehind();
  behind.start(client, node, Promise.reject(new Error('the call was cancelled')));
  expect(await behind.settle({} as ParameterClient)).toBeUndefined();
  behind.start(client, node, Promise.resolve('fenced'));
  expect(await behind.settle({} as ParameterClient)).toBeUndefined();
});
