import { errorCode, type Http2ErrorName } from './Http2Error.ts';

/* The frames of HTTP/2 as bytes: RFC 9113, sections 4 and 6. */

export const frameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const flag = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

export const setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

export interface FrameHead {
  /** Of the payload, in bytes. */
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

export const frameHeadBytes = 9;
/** A client says this first, so that a server of HTTP/1 ends the connection. */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
export const windowMax = 2 ** 31 - 1;
/** What holds until a SETTINGS frame says otherwise. */
export const defaults = { windowBytes: 65_535, frameBytesMax: 16_384 } as const;

export function frameHead(length: number, type: number, flags: number, streamId: number): Buffer {
  return writeFrameHead(Buffer.allocUnsafe(frameHeadBytes), length, type, flags, streamId);
}

/** Writes the head at the begin of `target`, and returns that. */
export function writeFrameHead(
  target: Buffer,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): Buffer {
  target.writeUIntBE(length, 0, 3);
  target[3] = type;
  target[4] = flags;
  target.writeUInt32BE(streamId, 5);
  return target;
}

export function readFrameHead(bytes: Uint8Array, at: number): FrameHead {
  return {
    length: (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2],
    type: bytes[at + 3],
    flags: bytes[at + 4],
    streamId: readUint32(bytes, at + 5) & windowMax,
  };
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

export function settingsFrame(values: readonly (readonly [id: number, value: number])[]): Buffer {
  const frame = framed(values.length * 6, frameType.SETTINGS, 0, 0);
  values.forEach(([id, value], index) => {
    frame.writeUInt16BE(id, frameHeadBytes + index * 6);
    frame.writeUInt32BE(value, frameHeadBytes + index * 6 + 2);
  });
  return frame;
}

export function settingsAck(): Buffer {
  return frameHead(0, frameType.SETTINGS, flag.ACK, 0);
}

export function pingFrame(flags: number, opaque: Uint8Array): Buffer {
  const frame = framed(8, frameType.PING, flags, 0);
  frame.set(opaque, frameHeadBytes);
  return frame;
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  const frame = framed(4, frameType.WINDOW_UPDATE, 0, streamId);
  frame.writeUInt32BE(increment, frameHeadBytes);
  return frame;
}

export function rstStream(streamId: number, code: Http2ErrorName): Buffer {
  const frame = framed(4, frameType.RST_STREAM, 0, streamId);
  frame.writeUInt32BE(errorCode[code], frameHeadBytes);
  return frame;
}

/** `reason` is for people who look at the wire. */
export function goAway(lastStreamId: number, code: Http2ErrorName, reason: string): Buffer {
  const text = Buffer.from(reason, 'latin1');
  const frame = framed(8 + text.length, frameType.GOAWAY, 0, 0);
  frame.writeUInt32BE(lastStreamId, frameHeadBytes);
  frame.writeUInt32BE(errorCode[code], frameHeadBytes + 4);
  frame.set(text, frameHeadBytes + 8);
  return frame;
}

function framed(length: number, type: number, flags: number, streamId: number): Buffer {
  return writeFrameHead(Buffer.allocUnsafe(frameHeadBytes + length), length, type, flags, streamId);
}
