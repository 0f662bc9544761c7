import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import type { ExchangeAnswer, ExchangeRequest } from '@tributary/client/transport/messages.ts';
import type { Received } from '@tributary/client/transport/parameterService.ts';
import { writeChunks } from '@tributary/client/transport/writeChunks.ts';
import type { ChunkMessage } from '@tributary/core/codec/chunkMessage.ts';
import { signalOf, statusOf } from './calls.ts';
import { ExchangeSession, type ExchangeWork } from './ExchangeSession.ts';

export function exchange(
  work: ExchangeWork,
): handleBidiStreamingCall<Received<ExchangeRequest>, ChunkMessage<ExchangeAnswer>> {
  return (call) => {
    const gone = signalOf(call);
    const session = new ExchangeSession(work, {
      send: (header) => call.write({ header }),
      sendChunks: (chunks, queued) => writeChunks(call, chunks, gone, queued),
      get unread() {
        return call.writableLength;
      },
      end: () => call.end(),
    });
    let isOver = false;
    const close = () => {
      isOver = true;
      session.close();
    };
    call.on('data', (message: Received<ExchangeRequest>) => {
      if (isOver) return;
      try {
        session.message(message);
      } catch (error) {
        close();
        call.emit('error', statusOf(error, work));
      }
    });
    call.on('end', () => !isOver && session.ended());
    call.on('cancelled', close);
    call.on('finish', close);
    call.on('error', close);
  };
}
