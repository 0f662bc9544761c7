import type { handleServerStreamingCall } from '@grpc/grpc-js';
import type { PullHeader, PullRequest } from '@tributary/client/transport/messages.ts';
import type { Codec } from '@tributary/core/codec/Codec.ts';
import type { Chunk, ChunkMessage } from '@tributary/core/codec/chunkMessage.ts';
import { chunksOf } from '@tributary/core/codec/chunksOf.ts';
import { changeCodec } from '@tributary/core/codec/pullEncodings.ts';
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
  { target, step, latest, waitMs, changedOnly, average, encoding, since }: PullRequest,
  writer: TensorWriter<PullHeader>,
  context: RpcContext,
): Promise<void> {
  const { shard } = context.loaded().find(target);
  const codec = codecOf(encoding, shard.publishesChanges && !latest && !average);
  const reading = await shard.pull({ step, latest }, waitMs, writer.signal);
  const { clock, endStep } = shard;
  if (!reading.ready) {
    const header = { ready: false, version: shard.version, clock, endStep, length: 0, encoding };
    return writer.answer(header, []);
  }
  const { version } = reading;
  const end = shard.trace?.begin('send', 'send', { version });
  const answer = (as: string, length: number, chunks: Iterable<Chunk>) =>
    writer.answer({ ready: true, version, clock, endStep, length, encoding: as }, chunks);
  try {
    const { change } = reading;
    if (codec === 'change' && change !== undefined && since === version)
      return await answer(encoding, change.length, change.chunks);
    const values = (average ? shard.average() : undefined) ?? reading.values;
    const ranges = changedOnly ? shard.changed : [{ begin: 0, end: shard.length }];
    const length = lengthOf(ranges);
    if (codec === 'change' || codec === undefined) await answer('F32', length, chunksOf(values, ranges));
    else await answer(encoding, length, encodedChunks(shard, values, ranges, codec));
  } finally {
    reading.release();
    end?.();
  }
}

/** Those that make sense of parameters: each element by itself, to a fixed number of digits. */
const encodings = ['BF16', 'F16'];
const changeEncoding = changeCodec.name.toUpperCase();

/** Undefined for float32, which needs no encoding. */
function codecOf(encoding: string, changes: boolean): Codec | 'change' | undefined {
  if (encoding === 'F32') return undefined;
  if (encodings.includes(encoding)) return createCodec({ name: encoding.toLowerCase() });
  if (encoding === changeEncoding && changes) return 'change';
  const known = ['F32', ...encodings].join(', ');
  throw new TributaryError(
    'INVALID_ARGUMENT',
    `the encoding is ${encoding}; parameters can be pulled as ${known}`,
    {
      hint: `${changeEncoding} is for the parameters of a step, in jobs that pull changes.`,
    },
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
