import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import type { ReduceHeader, ReduceTotalHeader } from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import type { ChunkMessage } from '@tributary/core/codec/chunkMessage.ts';
import { chunksOf } from '@tributary/core/codec/chunksOf.ts';
import { type RpcContext, statusOf } from './calls.ts';
import { type Contribution, ReduceReceiver } from './ReduceReceiver.ts';
import { grpcWriter, type TensorWriter } from './TensorWriter.ts';

export function reduce(
  context: RpcContext,
): handleBidiStreamingCall<Received<ReduceHeader>, ChunkMessage<ReduceTotalHeader>> {
  return async (call) => {
    try {
      const writer = grpcWriter<ReduceTotalHeader>(call);
      const receiver = new ReduceReceiver(context);
      // The plain iterator would destroy the call when all is read, and the answer with it.
      const messages = call.iterator({ destroyOnReturn: false }) as AsyncIterable<Received<ReduceHeader>>;
      for await (const message of messages) receiver.message(message);
      await answerReduce(receiver.finish(), writer);
    } catch (error) {
      call.emit('error', statusOf(error, context));
    }
  };
}

/** Throws the refusal of the contribution. */
export async function answerReduce(
  { header, shard, values }: Contribution,
  writer: TensorWriter<ReduceTotalHeader>,
): Promise<void> {
  const found = await shard.reduce(header, values, header.waitMs, writer.signal);
  if (found.outcome !== 'applied') {
    const { reason } = found;
    const answer = { outcome: found.outcome.toUpperCase(), reason, weight: 0, loss: 0, length: 0 };
    return writer.answer(answer, []);
  }
  const { values: sum = new Float32Array(0), weight, loss } = found.total;
  const answer = { outcome: 'APPLIED', reason: '', weight, loss, length: sum.length };
  return writer.answer(answer, chunksOf(sum, [{ begin: 0, end: sum.length }]));
}
