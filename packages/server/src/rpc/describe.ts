import type { DescribeReply, DescribeRequest } from '@tributary/client/transport/messages.ts';
import { type RpcContext, unary } from './calls.ts';

export function describe(context: RpcContext) {
  return unary(context, ({ jobHash }: DescribeRequest): DescribeReply => {
    const set = context.loaded();
    if (jobHash !== '') set.checkJob(jobHash);
    const held = [...set.shards];
    return {
      jobHash: set.jobHash,
      generation: set.generation,
      endStep: Math.max(0, ...held.map(([, { shard }]) => shard.endStep)),
      shards: held.map(([index, { shard }]) => ({
        shard: index,
        begin: shard.range.begin,
        end: shard.range.end,
        version: shard.version,
        clocks: shard.clocks,
      })),
      rejected: set.rejected,
      outcomes: { ...set.outcomes },
      failure: set.failure,
    };
  });
}
