import type { Codec } from './Codec.ts';

/** The float32 themselves: for the tensors that a job does not want to be rounded. The one lossless codec. */
export const f32: Codec = {
  name: 'f32',
  lossless: true,
  momentum: 0,
  kernelArguments: [],
  blockBytes: (elements) => elements * 4,
  encode(values, bytes) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    values.fill(0);
  },
  decode(bytes, values) {
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes);
    return true;
  },
};
