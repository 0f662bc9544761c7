const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The bits of a float32. */
export function bitsOf(value: number): number {
  float[0] = value;
  return word[0];
}

/** The float32 of these bits. */
export function floatOf(bits: number): number {
  word[0] = bits;
  return float[0];
}

/** Writes 16 bits, little-endian, at any address. */
export function storeWord(bytes: Uint8Array, at: number, bits: number): void {
  bytes[at] = bits;
  bytes[at + 1] = bits >>> 8;
}

export function loadWord(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

/** Writes a float32, little-endian, at any address. */
export function storeFloat(bytes: Uint8Array, at: number, value: number): void {
  const bits = bitsOf(value);
  storeWord(bytes, at, bits);
  storeWord(bytes, at + 2, bits >>> 16);
}

export function loadFloat(bytes: Uint8Array, at: number): number {
  return floatOf((loadWord(bytes, at) | (loadWord(bytes, at + 2) << 16)) >>> 0);
}
