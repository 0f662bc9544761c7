import type { handleClientStreamingCall, ServerReadableStream } from '@grpc/grpc-js';
import type { PushHeader, PushReply } from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { PushAnswer, Shard } from '../shard/Shard.ts';
import type { ShardSet } from '../shard/ShardSet.ts';
import { type RpcContext, statusOf } from './calls.ts';
import { GradientAssembly } from './GradientAssembly.ts';

type PushCall = ServerReadableStream<Received<PushHeader>, PushReply>;

export function push(context: RpcContext): handleClientStreamingCall<Received<PushHeader>, PushReply> {
  return async (call, callback) => {
    try {
      callback(null, await receive(call, context));
    } catch (error) {
      callback(statusOf(error, context));
    }
  };
}

/** Reads the header, then the chunks into a buffer, and only then touches the shard: an update in part is never visible. */
async function receive(call: PushCall, context: RpcContext): Promise<PushReply> {
  const messages = call[Symbol.asyncIterator]() as AsyncIterableIterator<Received<PushHeader>>;
  const header = await readHeader(messages);
  const set = context.loaded();
  const { shard } = set.find(header.target);
  // What can be refused outright is, before its chunks travel.
  shard.judge(header);
  const buffer = header.weight > 0 ? shard.takeBuffer() : undefined;
  try {
    const assembly = new GradientAssembly(shard.length, buffer);
    for await (const message of messages) {
      if ('malformed' in message) throw message.malformed;
      if ('header' in message) throw invalid('a second header came in one push');
      if (header.weight === 0) throw invalid('a chunk came although the weight is 0, which skips the step');
      assembly.add(message.chunk);
      if (assembly.tooLong) break;
    }
    if (call.cancelled) throw new TributaryError('CANCELLED', 'the push was broken off');
    return reply(set, shard, decide(shard, header, assembly, buffer));
  } finally {
    if (buffer !== undefined) shard.giveBuffer(buffer);
  }
}

async function readHeader(messages: AsyncIterator<Received<PushHeader>>): Promise<PushHeader> {
  const { value: message, done } = await messages.next();
  if (done) throw invalid('a push without any message');
  if ('malformed' in message) throw message.malformed;
  if (!('header' in message)) throw invalid('the first message of a push must be its header');
  return message.header;
}

function decide(
  shard: Shard,
  header: PushHeader,
  assembly: GradientAssembly,
  buffer: Float32Array | undefined,
): PushAnswer {
  if (header.weight > 0 && assembly.received !== shard.length) {
    const found = assembly.tooLong ? `more than ${shard.length} elements` : `${assembly.received} elements`;
    return {
      outcome: 'rejected',
      reason: `the gradient has ${found}; shard ${header.target.shard} has ${shard.length}`,
    };
  }
  return shard.push(header, buffer);
}

function reply(set: ShardSet, shard: Shard, { outcome, reason }: PushAnswer): PushReply {
  set.outcomes[outcome]++;
  return { outcome: outcome.toUpperCase(), reason, clock: shard.clock, endStep: shard.endStep };
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
