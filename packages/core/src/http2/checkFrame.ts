import { limits } from '../limits/limits.ts';
import { type FrameHead, frameType } from './frames.ts';
import { Http2Error, protocolError } from './Http2Error.ts';

/** What is fixed of a frame: its length, and whether it is of the whole connection (0) or of a stream (1). */
const shapes = new Map<number, { bytes?: number; of?: 0 | 1 }>([
  [frameType.DATA, { of: 1 }],
  [frameType.HEADERS, { of: 1 }],
  [frameType.PRIORITY, { bytes: 5, of: 1 }],
  [frameType.RST_STREAM, { bytes: 4, of: 1 }],
  [frameType.SETTINGS, { of: 0 }],
  [frameType.PING, { bytes: 8, of: 0 }],
  [frameType.GOAWAY, { of: 0 }],
  [frameType.WINDOW_UPDATE, { bytes: 4 }],
  [frameType.CONTINUATION, { of: 1 }],
]);

/** What can be said of a frame by its head alone. Throws FRAME_SIZE_ERROR, PROTOCOL_ERROR or, above our own limits, ENHANCE_YOUR_CALM. */
export function checkFrame({ type, length, streamId }: FrameHead): void {
  if (length > limits.http2FrameBytesMax)
    throw new Http2Error('FRAME_SIZE_ERROR', `a frame of ${length} bytes`);
  const shape = shapes.get(type);
  if (shape?.of !== undefined && (streamId === 0) !== (shape.of === 0))
    throw protocolError(`a frame of type ${type} on stream ${streamId}`);
  if (shape?.bytes !== undefined && shape.bytes !== length)
    throw new Http2Error('FRAME_SIZE_ERROR', `a frame of type ${type} has ${length} bytes`);
  if (type === frameType.PUSH_PROMISE) throw protocolError('PUSH_PROMISE, which we do not allow');
  if (type !== frameType.DATA && length > limits.http2HeaderBlockBytesMax)
    throw new Http2Error('ENHANCE_YOUR_CALM', `a frame of type ${type} has ${length} bytes`);
}
