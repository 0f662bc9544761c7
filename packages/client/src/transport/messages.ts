/**
 * The messages of parameter_server.proto as @grpc/proto-loader gives them here: camel case, every field present, 64-bit numbers as
 * Number (tokens and counts stay far below 2^53), enums by name. The .proto file says what the fields mean.
 */
export interface Target {
  jobHash: string;
  generation: number;
  shard: number;
}

export interface PushHeader {
  target: Target;
  rankBegin: number;
  rankEnd: number;
  step: number;
  tokens: number[];
  weight: number;
  loss: number;
  squares: number;
  encoding: string;
  version: number;
}

export interface PushReply {
  outcome: string;
  reason: string;
  clock: number;
  endStep: number;
}

export interface PullRequest {
  target: Target;
  step: number;
  latest: boolean;
  waitMs: number;
  changedOnly: boolean;
  average: boolean;
  encoding: string;
  /** 1 + the version that the reader has; 0: none. */
  since: number;
}

export interface PullHeader {
  ready: boolean;
  version: number;
  clock: number;
  endStep: number;
  length: number;
  encoding: string;
}

/** What a client says on an exchange, beside chunks. */
export type ExchangeRequest = { call: number } & (
  | { what: 'push'; push: PushHeader }
  | { what: 'pull'; pull: PullRequest }
  | { what: 'end'; end: true }
  | { what: 'cancel'; cancel: true }
);

/** And what a server says. */
export type ExchangeAnswer = { call: number } & (
  | { what: 'push'; push: PushReply }
  | { what: 'pull'; pull: PullHeader }
  | { what: 'end'; end: true }
  | { what: 'refusal'; refusal: Refusal }
);

export interface Refusal {
  code: number;
  message: string;
}

export interface ReduceHeader {
  target: Target;
  rankBegin: number;
  rankEnd: number;
  step: number;
  round: number;
  tokens: number[];
  length: number;
  weight: number;
  loss: number;
  waitMs: number;
}

export interface ReduceTotalHeader {
  outcome: string;
  reason: string;
  weight: number;
  loss: number;
  length: number;
}

export interface DescribeRequest {
  jobHash: string;
}

export interface ShardDescription {
  shard: number;
  begin: number;
  end: number;
  version: number;
  clocks: number[];
}

export interface DescribeReply {
  jobHash: string;
  generation: number;
  endStep: number;
  shards: ShardDescription[];
  rejected: number;
  outcomes: Record<string, number>;
  failure: string;
}

export interface BlockSquaresRequest {
  target: Target;
  step: number;
  waitMs: number;
}

export interface BlockSquaresReply {
  ready: boolean;
  squares: number[];
}

export interface CheckpointPartRequest {
  target: Target;
  step: number;
  waitMs: number;
}

export interface CheckpointChunk {
  index: number;
  offset: number;
  bytes: number;
  sha256: string;
}

export interface CheckpointPartReply {
  ready: boolean;
  chunks: CheckpointChunk[];
  numbers: number[];
  updates: number;
  clocks: number[];
  error: string;
}

export interface EndAtRequest {
  target: Target;
  step: number;
}

export interface EndAtReply {
  endStep: number;
}

/** The calls with one request and one reply. */
export interface UnaryCalls {
  Describe: { request: DescribeRequest; reply: DescribeReply };
  BlockSquares: { request: BlockSquaresRequest; reply: BlockSquaresReply };
  CheckpointPart: { request: CheckpointPartRequest; reply: CheckpointPartReply };
  EndAt: { request: EndAtRequest; reply: EndAtReply };
}
