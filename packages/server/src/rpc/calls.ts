import type { handleUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { toStatus } from '@tributary/client/transport/status.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ShardSet } from '../shard/ShardSet.ts';

export interface Log {
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

/** What the handlers of the calls work with. */
export interface RpcContext extends Log {
  /** Throws UNAVAILABLE while nothing is loaded. */
  loaded(): ShardSet;
}

/** A call of grpc-js, as far as its end concerns us. */
export interface Cancellable {
  readonly cancelled: boolean;
  on(event: 'cancelled', listener: () => void): unknown;
}

/** Fires when the caller is gone or its deadline has passed. */
export function signalOf(call: Cancellable): AbortSignal {
  const controller = new AbortController();
  if (call.cancelled) controller.abort();
  call.on('cancelled', () => controller.abort());
  return controller.signal;
}

/** The status for what a handler threw; a defect is also logged here, where its stack is. */
export function statusOf(error: unknown, { log }: Log) {
  if (!(error instanceof TributaryError))
    log('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
  return toStatus(error);
}

/** A handler of grpc-js from a function that answers or throws. */
export function unary<Request, Reply>(
  context: RpcContext,
  answer: (request: Request, signal: AbortSignal) => Reply | Promise<Reply>,
): handleUnaryCall<Request, Reply> {
  return async (call, callback: sendUnaryData<Reply>) => {
    try {
      callback(null, await answer(call.request, signalOf(call)));
    } catch (error) {
      callback(statusOf(error, context));
    }
  };
}
