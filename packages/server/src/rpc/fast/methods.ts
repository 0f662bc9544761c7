import type {
  ExchangeAnswer,
  PullHeader,
  PullRequest,
  ReduceTotalHeader,
} from '@tributary/client/transport/messages.ts';
import { parameterService } from '@tributary/client/transport/parameterService.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { RpcContext } from '../calls.ts';
import { ExchangeSession, type ExchangeWork } from '../ExchangeSession.ts';
import { PushReceiver } from '../PushReceiver.ts';
import { answerPull } from '../pull.ts';
import { ReduceReceiver } from '../ReduceReceiver.ts';
import { answerReduce } from '../reduce.ts';
import type { CallWork, ServerCall } from './ServerCall.ts';

/** What a server of the fast path does itself, by path. */
export type FastMethods = ReadonlyMap<string, (call: ServerCall) => CallWork>;

/** Of a parameter server: the calls that carry tensors. */
export function tensorMethods(context: RpcContext, work: ExchangeWork): FastMethods {
  return new Map([
    [parameterService.Push.path, (call: ServerCall) => push(call, context)],
    [parameterService.Pull.path, (call: ServerCall) => pull(call, context)],
    [parameterService.Reduce.path, (call: ServerCall) => reduce(call, context)],
    ...exchangeMethod(work),
  ]);
}

export function exchangeMethod(work: ExchangeWork): FastMethods {
  return new Map([[parameterService.Exchange.path, (call: ServerCall) => exchange(call, work)]]);
}

function push(call: ServerCall, context: RpcContext): CallWork {
  const { requestDeserialize, responseSerialize } = parameterService.Push;
  const receiver = new PushReceiver(context);
  const reply = () => call.reply(responseSerialize(receiver.finish()));
  const message: typeof receiver.message = (found) => {
    receiver.message(found);
    if (receiver.tooLong) reply();
  };
  return {
    message: (bytes) => message(requestDeserialize(bytes)),
    place: (offset, bytes) => receiver.place(offset, bytes),
    chunk: (chunk) => message({ chunk }),
    ended: reply,
    closed: () => receiver.close(),
  };
}

function pull(call: ServerCall, context: RpcContext): CallWork {
  const { requestDeserialize, responseSerialize } = parameterService.Pull;
  let request: PullRequest | undefined;
  return {
    message(bytes) {
      if (request !== undefined) throw invalid('a second request came in one pull');
      try {
        request = requestDeserialize(bytes);
      } catch (cause) {
        throw new TributaryError('INVALID_ARGUMENT', 'the request is not protobuf', { cause });
      }
    },
    ended() {
      if (request === undefined) throw invalid('a pull without its request');
      return answerPull(request, call.writer<PullHeader>(responseSerialize), context);
    },
  };
}

function exchange(call: ServerCall, work: ExchangeWork): CallWork {
  const { requestDeserialize, responseSerialize } = parameterService.Exchange;
  const session = new ExchangeSession(work, call.wire<ExchangeAnswer>(responseSerialize));
  return {
    message: (bytes) => session.message(requestDeserialize(bytes)),
    place: (offset, bytes) => session.place(offset, bytes),
    chunk: (chunk) => session.message({ chunk }),
    ended: () => session.ended(),
    closed: () => session.close(),
  };
}

function reduce(call: ServerCall, context: RpcContext): CallWork {
  const { requestDeserialize, responseSerialize } = parameterService.Reduce;
  const receiver = new ReduceReceiver(context);
  return {
    message: (bytes) => receiver.message(requestDeserialize(bytes)),
    place: (offset, bytes) => receiver.place(offset, bytes),
    chunk: (chunk) => receiver.message({ chunk }),
    ended: () => answerReduce(receiver.finish(), call.writer<ReduceTotalHeader>(responseSerialize)),
  };
}

function invalid(message: string): TributaryError {
  return new TributaryError('INVALID_ARGUMENT', message);
}
