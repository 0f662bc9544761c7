import type { CheckpointPartReply, CheckpointPartRequest } from '@tributary/client/transport/messages.ts';
import { type RpcContext, unary } from './calls.ts';

export function checkpointPart(context: RpcContext) {
  return unary(
    context,
    async ({ target, step, waitMs }: CheckpointPartRequest, signal): Promise<CheckpointPartReply> => {
      const { checkpoints } = context.loaded().find(target);
      const part = await checkpoints.part(step, waitMs, signal);
      if (part === undefined)
        return { ready: false, chunks: [], numbers: [], updates: 0, clocks: [], error: '' };
      const { updates, error } = part;
      const [chunks, numbers, clocks] = [[...part.chunks], [...part.numbers], [...part.clocks]];
      return { ready: true, chunks, numbers, updates, clocks, error };
    },
  );
}
