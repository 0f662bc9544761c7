import type { Header } from './Header.ts';
import { staticTable } from './staticTable.ts';

const staticIndex = new Map(staticTable.map(([name, value], index) => [`${name}\n${value}`, index + 1]));

/**
 * A header block that refers to the static table alone, with everything else as it is. It needs no state and fits every peer, whatever table that
 * allows; our few and short headers are not worth a Huffman code.
 */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of headers) {
    const index = staticIndex.get(`${name}\n${value}`);
    if (index !== undefined) parts.push(Buffer.from([0x80 | index]));
    else parts.push(Buffer.from([0]), ...text(name), ...text(value));
  }
  return Buffer.concat(parts);
}

function text(characters: string): [Buffer, Buffer] {
  const bytes = Buffer.from(characters, 'latin1');
  if (bytes.length < 127) return [Buffer.from([bytes.length]), bytes];
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
  length.push(rest);
  return [Buffer.from(length), bytes];
}
