import { fileURLToPath } from 'node:url';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { type ChunkMessage, decodeChunkMessage, encodeChunk } from '@tributary/core/codec/chunkMessage.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type {
  ExchangeAnswer,
  ExchangeRequest,
  PullHeader,
  PullRequest,
  PushHeader,
  PushReply,
  ReduceHeader,
  ReduceTotalHeader,
  UnaryCalls,
} from './messages.ts';

/**
 * A received message of a stream, or why it is none. A deserializer must not throw: grpc-js would answer INTERNAL and hide the reason.
 */
export type Received<Header> = ChunkMessage<Header> | { readonly malformed: TributaryError };

/** One call of a service, as grpc-js takes it. What is sent and what is got may be of different types. */
export interface Method<Request, Reply, GotRequest = Request, GotReply = Reply> {
  path: string;
  requestStream: boolean;
  responseStream: boolean;
  requestSerialize(value: Request): Buffer;
  requestDeserialize(bytes: Buffer): GotRequest;
  responseSerialize(value: Reply): Buffer;
  responseDeserialize(bytes: Buffer): GotReply;
}

export type ParameterService = {
  [Name in keyof UnaryCalls]: Method<UnaryCalls[Name]['request'], UnaryCalls[Name]['reply']>;
} & {
  Push: Method<ChunkMessage<PushHeader>, PushReply, Received<PushHeader>, PushReply>;
  Pull: Method<PullRequest, ChunkMessage<PullHeader>, PullRequest, Received<PullHeader>>;
  Exchange: Method<
    ChunkMessage<ExchangeRequest>,
    ChunkMessage<ExchangeAnswer>,
    Received<ExchangeRequest>,
    Received<ExchangeAnswer>
  >;
  Reduce: Method<
    ChunkMessage<ReduceHeader>,
    ChunkMessage<ReduceTotalHeader>,
    Received<ReduceHeader>,
    Received<ReduceTotalHeader>
  >;
};

export const serviceName = 'tributary.v1.ParameterServer';

/** The contract as loaded: also what reflection serves. */
export const packageDefinition: PackageDefinition = loadSync(
  fileURLToPath(import.meta.resolve('@tributary/proto/tributary/v1/parameter_server.proto')),
  { longs: Number, enums: String, defaults: true, arrays: true, objects: true, oneofs: true },
);

/** The service with our own codec in place of protobufjs wherever tensors travel. */
export const parameterService = withChunkCodec(packageDefinition[serviceName] as unknown as ParameterService);

function withChunkCodec(loaded: ParameterService): ParameterService {
  const { Push: push, Pull: pull, Exchange: exchange, Reduce: reduce } = loaded;
  return {
    ...loaded,
    Push: {
      ...push,
      requestSerialize: serializer(push.requestSerialize),
      requestDeserialize: deserializer<PushHeader>(push.requestDeserialize),
    },
    Pull: {
      ...pull,
      responseSerialize: serializer(pull.responseSerialize),
      responseDeserialize: deserializer<PullHeader>(pull.responseDeserialize),
    },
    Exchange: bothWays<ExchangeRequest, ExchangeAnswer>(exchange),
    Reduce: bothWays<ReduceHeader, ReduceTotalHeader>(reduce),
  };
}

function bothWays<Asked, Answered>(
  method: Method<ChunkMessage<Asked>, ChunkMessage<Answered>, Received<Asked>, Received<Answered>>,
) {
  return {
    ...method,
    requestSerialize: serializer(method.requestSerialize),
    requestDeserialize: deserializer<Asked>(method.requestDeserialize),
    responseSerialize: serializer(method.responseSerialize),
    responseDeserialize: deserializer<Answered>(method.responseDeserialize),
  };
}

function serializer<Header>(general: (message: ChunkMessage<Header>) => Buffer) {
  return (message: ChunkMessage<Header>): Buffer =>
    'chunk' in message ? encodeChunk(message.chunk) : general(message);
}

function deserializer<Header>(general: (bytes: Buffer) => unknown) {
  const decodeHeader = (bytes: Uint8Array): Header => {
    try {
      return (general(bytes as Buffer) as { header: Header }).header;
    } catch (cause) {
      throw new TributaryError('INVALID_ARGUMENT', `a header is not protobuf: ${(cause as Error).message}`, {
        cause,
      });
    }
  };
  return (bytes: Buffer): Received<Header> => {
    try {
      return decodeChunkMessage(bytes, decodeHeader);
    } catch (error) {
      if (error instanceof TributaryError) return { malformed: error };
      throw error;
    }
  };
}
