import type { handleClientStreamingCall } from '@grpc/grpc-js';
import type { PushHeader, PushReply } from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import { type RpcContext, statusOf } from './calls.ts';
import { PushReceiver } from './PushReceiver.ts';

/** Listens to events: an async iterator would cost some promises per chunk. */
export function push(context: RpcContext): handleClientStreamingCall<Received<PushHeader>, PushReply> {
  return (call, callback) => {
    const receiver = new PushReceiver(context);
    let over = false;
    const end = (answer: () => PushReply) => {
      if (over) return;
      over = true;
      try {
        callback(null, answer());
      } catch (error) {
        callback(statusOf(error, context));
      } finally {
        receiver.close();
      }
    };
    call.on('data', (message: Received<PushHeader>) => {
      if (over) return;
      try {
        receiver.message(message);
      } catch (error) {
        end(() => {
          throw error;
        });
      }
      if (receiver.tooLong) end(() => receiver.finish());
    });
    // Broken off: nobody waits for an answer.
    const abandon = () => {
      over = true;
      receiver.close();
    };
    call.on('cancelled', abandon);
    const settle = () => (call.cancelled ? abandon() : end(() => receiver.finish()));
    call.on('end', () => {
      // A call that is cut in the middle ends as well, and says only a moment later that it was cancelled.
      if (receiver.complete) settle();
      else setImmediate(settle);
    });
    call.on('error', abandon);
  };
}
