/** Bytes of an element of the types that can be read as float32, by their names in safetensors. */
export const floatBytes = { F32: 4, F64: 8, F16: 2, BF16: 2 } as const;
export type FloatType = keyof typeof floatBytes;

export function isFloatType(dtype: string): dtype is FloatType {
  return Object.hasOwn(floatBytes, dtype);
}

/** Little-endian elements as float32: of the narrower types exactly, of float64 rounded. */
export function toFloat32(bytes: Uint8Array, dtype: FloatType): Float32Array<ArrayBuffer> {
  // A copy, because the elements may lie at any address; not by slice, which of a Buffer gives a view.
  const { buffer } = new Uint8Array(bytes);
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer));
    case 'F16':
      return Float32Array.from(new Float16Array(buffer));
    case 'BF16':
      // The upper half of a float32.
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer);
  }
}
