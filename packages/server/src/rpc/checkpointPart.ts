import type { CheckpointPartReply, CheckpointPartRequest } from '@tributary/client/transport/messages.ts';
import { type RpcContext, unary } from './calls.ts';

export function checkpointPart(context: RpcContext) {
  return unary(
    context,
    async ({ target, step, waitMs }: CheckpointPartRequest, signal): Promise<CheckpointPartReply> => {
      const { checkpoints } = context.loaded().find(target);
      const part = await checkpoints.part(step, waitMs, signal);
      if (part === undefined) return { ready: false, chunks: [], updates: 0, clocks: [], error: '' };
      const { updates, error } = part;
      return { ready: true, chunks: [...part.chunks], updates, clocks: [...part.clocks], error };
    },
  );
}
