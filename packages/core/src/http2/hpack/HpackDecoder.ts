import { Http2Error } from '../Http2Error.ts';
import type { Header } from './Header.ts';
import { decodeHuffman } from './huffman.ts';
import { staticTable } from './staticTable.ts';

/** What an entry counts beside its text: RFC 7541, section 4.1. */
const entryOverheadBytes = 32;

/**
 * Header blocks of one connection, in the order in which they come: RFC 7541. Every block must be decoded, also of a stream that is refused, for it changes
 * the table that the next ones refer to. Whatever is wrong ends the connection.
 */
export class HpackDecoder {
  readonly #tableBytesLimit: number;
  readonly #listBytesMax: number;
  /** The newest first. */
  readonly #table: Header[] = [];
  #tableBytes = 0;
  /** What the peer's encoder chose, within our limit. */
  #tableBytesMax: number;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** `tableBytesLimit` is what we announced as SETTINGS_HEADER_TABLE_SIZE; `listBytesMax` bounds what one block may unfold to. */
  constructor(tableBytesLimit: number, listBytesMax: number) {
    this.#tableBytesLimit = tableBytesLimit;
    this.#tableBytesMax = tableBytesLimit;
    this.#listBytesMax = listBytesMax;
  }

  get tableBytes(): number {
    return this.#tableBytes;
  }

  /** Throws COMPRESSION_ERROR, or ENHANCE_YOUR_CALM for a list that is too long: a few bytes can refer to large entries again and again. */
  decode(block: Uint8Array): Header[] {
    this.#block = block;
    this.#at = 0;
    const headers: Header[] = [];
    let listBytes = 0;
    while (this.#at < block.length) {
      const header = this.#next(headers.length === 0);
      if (header === undefined) continue;
      listBytes += sizeOf(header);
      if (listBytes > this.#listBytesMax) {
        throw new Http2Error('ENHANCE_YOUR_CALM', `a header list of more than ${this.#listBytesMax} bytes`);
      }
      headers.push(header);
    }
    return headers;
  }

  #next(first: boolean): Header | undefined {
    const byte = this.#block[this.#at];
    if (byte >= 0x80) return this.#entry(this.#integer(7));
    if (byte >= 0x40) {
      const header = this.#literal(6);
      this.#add(header);
      return header;
    }
    if (byte < 0x20) return this.#literal(4);
    if (!first) throw broken('a size of the table in the middle of a block');
    const size = this.#integer(5);
    if (size > this.#tableBytesLimit) throw broken(`a table of ${size} bytes`);
    this.#tableBytesMax = size;
    this.#evict();
    return undefined;
  }

  #literal(prefixBits: number): Header {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    return [name, this.#string()];
  }

  #entry(index: number): Header {
    const found =
      index <= staticTable.length ? staticTable[index - 1] : this.#table[index - staticTable.length - 1];
    if (found === undefined) throw broken(`no entry ${index} in the tables`);
    return found;
  }

  #add(header: Header): void {
    this.#table.unshift(header);
    this.#tableBytes += sizeOf(header);
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#tableBytesMax) this.#tableBytes -= sizeOf(this.#table.pop()!);
  }

  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw broken('a number of more than 28 bits');
  }

  #string(): string {
    const huffman = this.#at < this.#block.length && this.#block[this.#at] >= 0x80;
    const length = this.#integer(7);
    const begin = this.#at;
    if (length > this.#block.length - begin) throw broken('a text that ends after its block');
    this.#at += length;
    const bytes = this.#block.subarray(begin, this.#at);
    if (!huffman) return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
    const text = decodeHuffman(bytes);
    if (text === undefined) throw broken('a text that is no Huffman code');
    return text;
  }

  #byte(): number {
    if (this.#at >= this.#block.length) throw broken('a field that ends after its block');
    return this.#block[this.#at++];
  }
}

function sizeOf([name, value]: Header): number {
  return name.length + value.length + entryOverheadBytes;
}

function broken(how: string): Http2Error {
  return new Http2Error('COMPRESSION_ERROR', how);
}
