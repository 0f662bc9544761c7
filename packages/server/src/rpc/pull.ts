import type { handleServerStreamingCall } from '@grpc/grpc-js';
import type { PullHeader, PullRequest } from '@tributary/client/transport/messages.ts';
import type { Codec } from '@tributary/core/codec/Codec.ts';
import type { Chunk, ChunkMessage } from '@tributary/core/codec/chunkMessage.ts';
import { chunksOf } from '@tributary/core/codec/chunksOf.ts';
import { createCodec } from '@tributary/core/codec/table.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { lengthOf } from '@tributary/core/layout/segments.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type { Range } from '@tributary/core/partition/partition.ts';
import type { Shard } from '../shard/Shard.ts';
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
  { target, step, latest, waitMs, changedOnly, average, encoding }: PullRequest,
  writer: TensorWriter<PullHeader>,
  context: RpcContext,
): Promise<void> {
  const codec = codecOf(encoding);
  const { shard } = context.loaded().find(target);
  const found = await shard.pull({ step, latest }, waitMs, writer.signal);
  const { clock, endStep } = shard;
  if (!found.ready) {
    const header = { ready: false, version: shard.version, clock, endStep, length: 0, encoding };
    return writer.answer(header, []);
  }
  const { version } = found;
  try {
    const values = (average ? shard.average() : undefined) ?? version.values;
    const ranges = changedOnly ? shard.changed : [{ begin: 0, end: shard.length }];
    const header = {
      ready: true,
      version: version.number,
      clock,
      endStep,
      length: lengthOf(ranges),
      encoding,
    };
    const chunks =
      codec === undefined ? chunksOf(values, ranges) : encodedChunks(shard, values, ranges, codec);
    const end = shard.trace?.begin('send', 'send', { version: version.number });
    await writer.answer(header, chunks);
    end?.();
  } finally {
    shard.release(version);
  }
}

/** Those that make sense of parameters: each element by itself, to a fixed number of digits. */
const encodings = ['BF16', 'F16'];

/** Undefined for float32, which needs no encoding. */
function codecOf(encoding: string): Codec | undefined {
  if (encoding === 'F32') return undefined;
  if (encodings.includes(encoding)) return createCodec({ name: encoding.toLowerCase() });
  throw new TributaryError(
    'INVALID_ARGUMENT',
    `the encoding is ${encoding}; parameters can be pulled as F32, ${encodings.join(', ')}`,
  );
}

/** Each is encoded when its turn has come. */
function* encodedChunks(
  shard: Shard,
  values: Float32Array,
  ranges: readonly Range[],
  codec: Codec,
): Generator<Chunk> {
  const elements = limits.chunkBytes / 4;
  for (const { begin, end } of ranges) {
    for (let offset = begin; offset < end; offset += elements)
      yield { offset, data: shard.encode(codec, values.subarray(offset, Math.min(offset + elements, end))) };
  }
}
