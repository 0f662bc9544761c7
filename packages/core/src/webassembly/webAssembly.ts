/** What we use of WebAssembly: neither the types of Node nor those of ECMAScript declare it. */
interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => SharedMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

export interface SharedMemory {
  /** A new object after each growth, over the same bytes; the earlier ones stay valid. */
  readonly buffer: SharedArrayBuffer;
  /** By so many pages of 64 KiB. Throws a RangeError if that exceeds the maximum. */
  grow(pages: number): number;
}

export const { WebAssembly: webAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
