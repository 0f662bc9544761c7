import type { BlockSquaresReply, BlockSquaresRequest } from '@tributary/client/transport/messages.ts';
import { type RpcContext, unary } from './calls.ts';

export function blockSquares(context: RpcContext) {
  return unary(
    context,
    async ({ target, step, waitMs }: BlockSquaresRequest, signal): Promise<BlockSquaresReply> => {
      const { shard } = context.loaded().find(target);
      const squares = await shard.blockSquares(step, waitMs, signal);
      return squares === undefined
        ? { ready: false, squares: [] }
        : { ready: true, squares: Array.from(squares) };
    },
  );
}
