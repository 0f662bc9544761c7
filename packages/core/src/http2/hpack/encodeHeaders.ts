import type { Header } from './Header.ts';
import { staticTable } from './staticTable.ts';

const staticIndex = new Map<string, Map<string, number>>();
staticTable.forEach(([name, value], index) => {
  const values = staticIndex.get(name) ?? new Map<string, number>();
  staticIndex.set(name, values.set(value, index + 1));
});
/** What a field costs beside its text: its kind, and two lengths of up to five bytes. */
const fieldBytes = 11;

/**
 * A header block that refers to the static table alone, with everything else as it is. It needs no state and fits every peer, whatever table that
 * allows; our few and short headers are not worth a Huffman code.
 */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + fieldBytes;
  const block = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const [name, value] of headers) {
    const index = staticIndex.get(name)?.get(value);
    if (index !== undefined) block[at++] = 0x80 | index;
    else {
      block[at++] = 0;
      at = writeText(block, at, name);
      at = writeText(block, at, value);
    }
  }
  return block.subarray(0, at);
}

function writeText(block: Buffer, begin: number, text: string): number {
  let at = begin;
  if (text.length < 127) block[at++] = text.length;
  else {
    block[at++] = 127;
    let rest = text.length - 127;
    for (; rest >= 128; rest >>>= 7) block[at++] = (rest & 127) | 128;
    block[at++] = rest;
  }
  return at + block.write(text, at, 'latin1');
}
