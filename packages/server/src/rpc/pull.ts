import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import type { PullHeader, PullRequest } from '@tributary/client/transport/messages.ts';
import type { ChunkMessage } from '@tributary/core/codec/chunkMessage.ts';
import { lengthOf } from '@tributary/core/layout/segments.ts';
import { type RpcContext, signalOf, statusOf } from './calls.ts';
import { writeChunks } from './writeChunks.ts';

type PullCall = ServerWritableStream<PullRequest, ChunkMessage<PullHeader>>;

export function pull(context: RpcContext): handleServerStreamingCall<PullRequest, ChunkMessage<PullHeader>> {
  return async (call) => {
    try {
      await answer(call, context);
    } catch (error) {
      call.emit('error', statusOf(error, context));
    }
  };
}

async function answer(call: PullCall, context: RpcContext): Promise<void> {
  const { target, step, latest, waitMs, changedOnly, average } = call.request;
  const { shard } = context.loaded().find(target);
  const signal = signalOf(call);
  const found = await shard.pull({ step, latest }, waitMs, signal);
  const { clock, endStep } = shard;
  if (!found.ready) {
    call.write({ header: { ready: false, version: shard.version, clock, endStep, length: 0 } });
    call.end();
    return;
  }
  const { version } = found;
  try {
    const values = (average ? shard.average() : undefined) ?? version.values;
    const ranges = changedOnly ? shard.changed : [{ begin: 0, end: shard.length }];
    const length = lengthOf(ranges);
    call.write({ header: { ready: true, version: version.number, clock, endStep, length } });
    await writeChunks(call, values, ranges, signal);
    call.end();
    // The version must stay as it is until the last chunk has become bytes of a message.
    await finished(call as unknown as Writable).catch(() => {});
  } finally {
    shard.release(version);
  }
}
