/** RFC 9113, section 7. */
export const errorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
} as const;

export type Http2ErrorName = keyof typeof errorCode;

/** What a peer did that the protocol or our limits forbid. With a stream it ends that stream alone, else the connection. */
export class Http2Error extends Error {
  readonly code: Http2ErrorName;
  readonly streamId: number | undefined;

  constructor(code: Http2ErrorName, message: string, streamId?: number) {
    super(message);
    this.name = 'Http2Error';
    this.code = code;
    this.streamId = streamId;
  }
}

const names = new Map<number, Http2ErrorName>(
  Object.entries(errorCode).map(([name, number]) => [number, name as Http2ErrorName]),
);

/** The name of a code from the wire. An unknown one is treated as INTERNAL_ERROR, as the RFC allows. */
export function errorName(code: number): Http2ErrorName {
  return names.get(code) ?? 'INTERNAL_ERROR';
}

/** One that ends the connection. */
export function protocolError(message: string): Http2Error {
  return new Http2Error('PROTOCOL_ERROR', message);
}
