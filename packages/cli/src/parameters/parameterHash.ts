import { createHash } from 'node:crypto';

/** SHA-256 of the float32 bytes in layout order, hex: equal hashes mean bit-identical parameters. */
export function parameterHash(flat: Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength))
    .digest('hex');
}
