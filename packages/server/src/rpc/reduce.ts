import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import type { ReduceHeader, ReduceTotalHeader } from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import type { ChunkMessage } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { type RpcContext, signalOf, statusOf } from './calls.ts';
import { GradientAssembly } from './GradientAssembly.ts';
import { writeChunks } from './writeChunks.ts';

type ReduceCall = ServerDuplexStream<Received<ReduceHeader>, ChunkMessage<ReduceTotalHeader>>;

export function reduce(
  context: RpcContext,
): handleBidiStreamingCall<Received<ReduceHeader>, ChunkMessage<ReduceTotalHeader>> {
  return async (call) => {
    try {
      await answer(call, context);
    } catch (error) {
      call.emit('error', statusOf(error, context));
    }
  };
}

async function answer(call: ReduceCall, context: RpcContext): Promise<void> {
  const signal = signalOf(call);
  // The plain iterator would destroy the call when all is read, and the answer with it.
  const messages = call.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Received<ReduceHeader>>;
  const header = await readHeader(messages);
  const { shard } = context.loaded().find(header.target);
  // What can be refused outright is, before its chunks travel.
  shard.judgeReduce(header);
  const values = await readVector(messages, header.length);
  const found = await shard.reduce(header, values, header.waitMs, signal);
  if (found.outcome !== 'applied') {
    const { reason } = found;
    call.write({ header: { outcome: found.outcome.toUpperCase(), reason, weight: 0, loss: 0, length: 0 } });
  } else {
    const { values: sum = new Float32Array(0), weight, loss } = found.total;
    call.write({ header: { outcome: 'APPLIED', reason: '', weight, loss, length: sum.length } });
    await writeChunks(call, sum, [{ begin: 0, end: sum.length }], signal);
  }
  call.end();
}

async function readHeader(messages: AsyncIterator<Received<ReduceHeader>>): Promise<ReduceHeader> {
  const { value: message, done } = await messages.next();
  if (done) throw invalid('a contribution without any message');
  if ('malformed' in message) throw message.malformed;
  if (!('header' in message)) throw invalid('the first message of a contribution must be its header');
  return message.header;
}

async function readVector(
  messages: AsyncIterableIterator<Received<ReduceHeader>>,
  length: number,
): Promise<Float32Array> {
  const values = new Float32Array(length);
  const assembly = new GradientAssembly([{ begin: 0, end: length }], values);
  for await (const message of messages) {
    if ('malformed' in message) throw message.malformed;
    if ('header' in message) throw invalid('a second header came in one contribution');
    assembly.add(message.chunk);
    if (assembly.tooLong) break;
  }
  if (!assembly.complete) {
    const found = assembly.tooLong ? 'more' : assembly.received;
    throw invalid(`a vector of ${length} elements was promised, and ${found} came`);
  }
  return values;
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
