import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Chunk, ChunkMessage } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { Exchange, serverLeft } from './Exchange.ts';
import type {
  ExchangeAnswer,
  PullHeader,
  PullRequest,
  PushHeader,
  PushReply,
  ReduceHeader,
  ReduceTotalHeader,
  UnaryCalls,
} from './messages.ts';
import { type Method, parameterService, type Received } from './parameterService.ts';
import type { CallLimits, ChunkReceiver, ServerChannel } from './ServerChannel.ts';
import { fromStatus } from './status.ts';
import type { TlsIdentity } from './transport.ts';
import { type ChunkStream, writeChunks } from './writeChunks.ts';

const channelOptions = {
  'grpc.max_send_message_length': limits.messageBytesMax,
  'grpc.max_receive_message_length': limits.messageBytesMax,
  'grpc-node.flow_control_window': limits.windowBytes,
  'grpc.keepalive_time_ms': limits.keepaliveMs,
  'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
  'grpc.initial_reconnect_backoff_ms': limits.retryBackoffMs,
  'grpc.max_reconnect_backoff_ms': limits.retryBackoffMsMax,
  // There is one retry policy, and it is ours: it knows which calls may be repeated.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  // Servers of a cluster are reached directly, whatever proxy the environment names for the web.
  'grpc.enable_http_proxy': 0,
  // A client that is closed closes its connections, also while another one in this process talks to the same server.
  'grpc.use_local_subchannel_pool': 1,
} as const;

/** The endpoint of @grpc/grpc-js. */
export class GrpcChannel implements ServerChannel {
  readonly address: string;
  readonly #client: Client;
  #exchange: Exchange | undefined;

  constructor(address: string, tls?: TlsIdentity) {
    this.address = address;
    const identity = tls === undefined ? credentials.createInsecure() : secured(address, tls);
    this.#client = new Client(address, identity, {
      ...channelOptions,
      // An address in digits is no name that TLS may ask for; this one is asked for instead, and the certificate held against the address all the same.
      ...(tls && isIP(hostOf(address)) !== 0 && { 'grpc.ssl_target_name_override': 'tributary' }),
    });
  }

  unary<Name extends keyof UnaryCalls>(
    name: Name,
    request: UnaryCalls[Name]['request'],
    { deadlineMs, signal }: CallLimits,
  ): Promise<UnaryCalls[Name]['reply']> {
    const method: Method<UnaryCalls[Name]['request'], UnaryCalls[Name]['reply']> = parameterService[name];
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        callOptions(deadlineMs),
        (error: ServiceError | null, reply?: UnaryCalls[Name]['reply']) =>
          error === null ? resolve(reply!) : reject(fromStatus(error, this.address)),
      );
      cancelWith(call, signal);
    });
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
    { deadlineMs, signal }: CallLimits,
  ): Promise<ReduceTotalHeader> {
    const { path, requestSerialize, responseDeserialize } = parameterService.Reduce;
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      callOptions(deadlineMs),
    );
    cancelWith(call, signal);
    const ended = new AbortController();
    call.once('status', () => ended.abort());
    const reply = this.#readStream(call, receiver);
    const [total] = await Promise.all([reply, writeStream(call, header, chunks, ended.signal)]);
    return total;
  }

  /** The stream of pushes and pulls: begun with the first of them, and anew when it was lost. */
  #exchanging(): Exchange {
    if (this.#exchange?.isOver === false) return this.#exchange;
    const exchange = new Exchange(this.address);
    this.#exchange = exchange;
    const { path, requestSerialize, responseDeserialize } = parameterService.Exchange;
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      {},
    );
    const ended = new AbortController();
    call.on('data', (message: Received<ExchangeAnswer>) => {
      if (exchange.isOver) return;
      try {
        exchange.message(message);
      } catch (error) {
        exchange.lost(error as TributaryError);
        call.cancel();
      }
    });
    // The status tells, which comes last: 'end' comes before it, also when the stream was cut.
    call.on('error', () => {});
    call.once('status', (status: StatusObject) => {
      ended.abort();
      exchange.lost(status.code === 0 ? serverLeft(this.address) : fromStatus(status, this.address));
    });
    exchange.open({
      send: (header) => call.write({ header }),
      sendChunks: (chunks, taken) => void writeChunks(call, chunks, ended.signal).then(taken),
      breakOff: () => call.cancel(),
    });
    return exchange;
  }

  async #readStream(
    call: AsyncIterable<Received<ReduceTotalHeader>> & { cancel(): void },
    receiver: ChunkReceiver | undefined,
  ): Promise<ReduceTotalHeader> {
    let header: ReduceTotalHeader | undefined;
    try {
      for await (const message of call) {
        if ('malformed' in message) throw message.malformed;
        if ('header' in message) {
          header = message.header;
          receiver?.begin?.(message.header);
        } else if (header === undefined) throw protocolError(this.address, 'a chunk came before the header');
        else receiver?.add(message.chunk);
      }
    } catch (error) {
      call.cancel();
      throw isServiceError(error) ? fromStatus(error, this.address) : error;
    }
    if (header === undefined) throw protocolError(this.address, 'no header came');
    return header;
  }

  close(): void {
    this.#exchange?.breakOff(
      new TributaryError('CANCELLED', `server ${this.address}: the channel is closed`),
    );
    this.#client.close();
  }
}

function secured(address: string, { ca, cert, key }: TlsIdentity): ChannelCredentials {
  return credentials.createSsl(ca, key, cert, {
    checkServerIdentity: (_name, certificate) => checkServerIdentity(hostOf(address), certificate),
  });
}

/** Without the port, and without the brackets of IPv6. A server on a Unix socket is on this host. */
function hostOf(address: string): string {
  return address.startsWith('unix:') ? 'localhost' : address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** Sends a header and chunks, and ends our side. */
async function writeStream<Header>(
  call: ChunkStream & { write(message: ChunkMessage<Header>): boolean; end(): void },
  header: Header,
  chunks: Iterable<Chunk>,
  ended: AbortSignal,
): Promise<void> {
  call.write({ header });
  await writeChunks(call, chunks, ended);
  if (!ended.aborted) call.end();
}

function callOptions(deadlineMs: number): CallOptions {
  return { deadline: Date.now() + deadlineMs };
}

function cancelWith(
  call: { cancel(): void; once(event: 'status', listener: () => void): unknown },
  signal: AbortSignal | undefined,
): void {
  if (signal === undefined) return;
  const cancel = () => call.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  call.once('status', () => signal.removeEventListener('abort', cancel));
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

function protocolError(address: string, what: string): TributaryError {
  return new TributaryError('INTERNAL', `server ${address}: ${what}`);
}
