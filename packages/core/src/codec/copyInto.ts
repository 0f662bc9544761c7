/** Writes `data` at `at`, unless the transport has put it there already: then it is a view of just that place. */
export function copyInto(target: Uint8Array, at: number, data: Uint8Array): void {
  const isThere = data.buffer === target.buffer && data.byteOffset === target.byteOffset + at;
  if (!isThere) target.set(data, at);
}
