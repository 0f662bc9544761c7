import type { CodecSpec, PullEncoding } from '../job/JobSpec.ts';

export const pullEncodings: readonly PullEncoding[] = ['f32', 'bf16', 'f16', 'delta'];

/** Of a `delta`: signed bytes and a scale for each 256, a quarter of the bytes. */
export const changeCodec: CodecSpec = { name: 'int8' };
