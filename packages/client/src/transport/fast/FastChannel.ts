import type { Chunk } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { Exchange, serverLeft } from '../Exchange.ts';
import type {
  PullHeader,
  PullRequest,
  PushHeader,
  PushReply,
  ReduceHeader,
  ReduceTotalHeader,
  UnaryCalls,
} from '../messages.ts';
import { type Method, parameterService, type Received } from '../parameterService.ts';
import type { CallLimits, ChunkReceiver, ServerChannel } from '../ServerChannel.ts';
import { type CallOptions, type CallWork, ClientCall } from './ClientCall.ts';
import { Http2Socket } from './Http2Socket.ts';
import { messageOf, sendChunks } from './sendChunks.ts';

/**
 * The fast path: gRPC on our own HTTP/2, straight from and to the memory of the caller. Plain TCP and Unix sockets. One connection, made with the first call and
 * made anew when it is lost; calls wait for it, and for their turn if the server allows no more at once.
 */
export class FastChannel implements ServerChannel {
  readonly address: string;
  #connecting: Promise<Http2Socket> | undefined;
  #socket: Http2Socket | undefined;
  #exchange: Exchange | undefined;
  /** Calls that wait for room on the connection. */
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(address: string) {
    this.address = address;
  }

  async unary<Name extends keyof UnaryCalls>(
    name: Name,
    request: UnaryCalls[Name]['request'],
    callLimits: CallLimits,
  ): Promise<UnaryCalls[Name]['reply']> {
    const method: Method<UnaryCalls[Name]['request'], UnaryCalls[Name]['reply']> = parameterService[name];
    let reply: UnaryCalls[Name]['reply'] | undefined;
    await this.#call(method.path, callLimits, {
      send: (call) => call.stream.send(messageOf(method.requestSerialize(request)), { last: true }),
      message: (bytes) => (reply = method.responseDeserialize(bytes)),
    });
    return this.#one(reply);
  }

  push(header: PushHeader, chunks: Iterable<Chunk>, callLimits: CallLimits): Promise<PushReply> {
    return this.#exchanging().push(header, chunks, callLimits);
  }

  pull(request: PullRequest, receiver: ChunkReceiver, callLimits: CallLimits): Promise<PullHeader> {
    return this.#exchanging().pull(request, receiver, callLimits);
  }

  async reduce(
    header: ReduceHeader,
    chunks: Iterable<Chunk>,
    receiver: ChunkReceiver | undefined,
    callLimits: CallLimits,
  ): Promise<ReduceTotalHeader> {
    const { path, requestSerialize, responseDeserialize } = parameterService.Reduce;
    const answer = this.#answer(responseDeserialize, receiver);
    await this.#call(path, callLimits, {
      send: (call) => sendAll(call, requestSerialize({ header }), chunks),
      ...answer,
    });
    return answer.header();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
    this.#socket?.destroy();
    this.#connecting?.then(
      (socket) => socket.destroy(),
      () => {},
    );
  }

  /** The stream of pushes and pulls: begun with the first of them, and anew when it was lost. */
  #exchanging(): Exchange {
    if (this.#exchange?.isOver === false) return this.#exchange;
    const exchange = new Exchange(this.address);
    this.#exchange = exchange;
    const { path, requestSerialize, responseDeserialize } = parameterService.Exchange;
    const ended = this.#call(
      path,
      { deadlineMs: undefined },
      {
        send: (call) =>
          exchange.open({
            send: (header) => call.stream.send(messageOf(requestSerialize({ header }))),
            sendChunks: (chunks, taken) => sendChunks(call.stream, chunks, taken),
            breakOff: (error) => call.fail(error),
          }),
        message: (bytes) => exchange.message(responseDeserialize(bytes)),
        place: (offset, bytes) => exchange.place(offset, bytes),
        chunk: (chunk) => exchange.message({ chunk }),
      },
    );
    ended.then(
      () => exchange.lost(serverLeft(this.address)),
      (error) => exchange.lost(error),
    );
    return exchange;
  }

  /** What becomes of an answer that is a header and chunks. */
  #answer(deserialize: (bytes: Buffer) => Received<ReduceTotalHeader>, receiver: ChunkReceiver | undefined) {
    let header: ReduceTotalHeader | undefined;
    const chunk = (found: Chunk) => {
      if (header === undefined) throw this.#protocolError('a chunk came before the header');
      receiver?.add(found);
    };
    return {
      message: (bytes: Buffer) => {
        const received = deserialize(bytes);
        if ('malformed' in received) throw received.malformed;
        if ('header' in received) {
          header = received.header;
          receiver?.begin?.(received.header);
        } else chunk(received.chunk);
      },
      place: (offset: number, bytes: number) =>
        header === undefined ? undefined : receiver?.place(offset, bytes),
      chunk,
      header: (): ReduceTotalHeader => {
        if (header === undefined) throw this.#protocolError('no header came');
        return header;
      },
    };
  }

  async #call(path: string, callLimits: Pick<CallOptions, 'deadlineMs' | 'signal'>, work: CallWork) {
    const call = new ClientCall({ address: this.address, path, ...callLimits }, work);
    try {
      await Promise.race([this.#begin(call), call.done]);
    } catch (error) {
      call.fail(error);
    }
    return call.done;
  }

  async #begin(call: ClientCall): Promise<void> {
    while (!call.isOver) {
      const socket = await this.#connected();
      const { connection } = socket;
      if (call.isOver) return;
      if (connection.hasRoom) return call.begin(socket);
      if (!connection.isLeaving) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #connected(): Promise<Http2Socket> {
    if (this.#closed) throw new TributaryError('CANCELLED', `server ${this.address}: the channel is closed`);
    if (this.#socket !== undefined && !this.#socket.connection.isLeaving) return this.#socket;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Http2Socket> {
    try {
      const socket = await Http2Socket.connect(this.address, {
        onRoom: () => this.#wake(),
        onClosed: () => this.#wake(),
      });
      this.#socket = socket;
      return socket;
    } catch (cause) {
      throw new TributaryError('UNAVAILABLE', `server ${this.address}: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #one<Reply>(reply: Reply | undefined): Reply {
    if (reply === undefined) throw this.#protocolError('no reply came');
    return reply;
  }

  #protocolError(what: string): TributaryError {
    return new TributaryError('INTERNAL', `server ${this.address}: ${what}`);
  }
}

/**
 * The end is said only when the wire has taken the chunks: who breaks off a call may change them at once, and what the server got of them must then never look
 * complete.
 */
function sendAll({ stream }: ClientCall, header: Buffer, chunks: Iterable<Chunk>): void {
  stream.send(messageOf(header));
  sendChunks(stream, chunks, () => stream.send([], { last: true }));
}
