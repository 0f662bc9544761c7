import type { EndAtReply, EndAtRequest } from '@tributary/client/transport/messages.ts';
import { type RpcContext, unary } from './calls.ts';

export function endAt(context: RpcContext) {
  return unary(context, ({ target, step }: EndAtRequest): EndAtReply => {
    return { endStep: context.loaded().find(target).shard.endAt(step) };
  });
}
