import type { handleServerStreamingCall } from '@grpc/grpc-js';
import type { PullHeader, PullRequest } from '@tributary/client/transport/messages.ts';
import type { ChunkMessage } from '@tributary/core/codec/chunkMessage.ts';
import { lengthOf } from '@tributary/core/layout/segments.ts';
import { type RpcContext, statusOf } from './calls.ts';
import { grpcWriter, type TensorWriter } from './TensorWriter.ts';

export function pull(context: RpcContext): handleServerStreamingCall<PullRequest, ChunkMessage<PullHeader>> {
  return async (call) => {
    try {
      await answerPull(call.request, grpcWriter<PullHeader>(call), context);
    } catch (error) {
      call.emit('error', statusOf(error, context));
    }
  };
}

/** Throws the refusal of the pull. */
export async function answerPull(
  { target, step, latest, waitMs, changedOnly, average }: PullRequest,
  writer: TensorWriter<PullHeader>,
  context: RpcContext,
): Promise<void> {
  const { shard } = context.loaded().find(target);
  const found = await shard.pull({ step, latest }, waitMs, writer.signal);
  const { clock, endStep } = shard;
  if (!found.ready) {
    const header = { ready: false, version: shard.version, clock, endStep, length: 0 };
    return writer.answer(header, new Float32Array(0), []);
  }
  const { version } = found;
  try {
    const values = (average ? shard.average() : undefined) ?? version.values;
    const ranges = changedOnly ? shard.changed : [{ begin: 0, end: shard.length }];
    const header = { ready: true, version: version.number, clock, endStep, length: lengthOf(ranges) };
    await writer.answer(header, values, ranges);
  } finally {
    shard.release(version);
  }
}
