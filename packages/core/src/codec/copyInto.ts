/**
 * Writes `data` at `at`, unless the transport has put it there already: then it is a view of just that place. (By Buffer, which copies as the C library does: `set` copies to memory that threads share
 * byte by byte where the two are not aligned alike, ten times as slowly.)
 */
export function copyInto(target: Uint8Array, at: number, data: Uint8Array): void {
  const isThere = data.buffer === target.buffer && data.byteOffset === target.byteOffset + at;
  if (!isThere) Buffer.from(data.buffer, data.byteOffset, data.byteLength).copy(target, at);
}
