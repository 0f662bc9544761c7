/**
 * The Huffman code of HPACK: RFC 7541, appendix B. It is canonical (codes of one length count up, in order of symbol, and begin where the shorter ones
 * end), so the lengths below say all.
 */
// biome-ignore format: a table, sixteen symbols a row
const lengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const endOfString = 256;
const longest = 30;

const symbols = lengths.map((_, symbol) => symbol).sort((a, b) => lengths[a] - lengths[b] || a - b);
/** By length: the first code, and the place of its symbol. */
const firstCode = new Int32Array(longest + 2);
const firstPlace = new Int32Array(longest + 2);
for (let length = 1; length <= longest; length++) {
  const count = lengths.filter((found) => found === length).length;
  firstCode[length + 1] = (firstCode[length] + count) << 1;
  firstPlace[length + 1] = firstPlace[length] + count;
}

/** The text, a character for each byte; undefined if it is no Huffman code: the end symbol in it, or padding that is not its begin. */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  const text: number[] = [];
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const place = firstPlace[length] + code - firstCode[length];
      if (place < firstPlace[length + 1]) {
        if (symbols[place] === endOfString) return undefined;
        text.push(symbols[place]);
        code = 0;
        length = 0;
      }
    }
  }
  // What is left must be fewer than eight bits, all ones.
  if (length > 7 || code !== (1 << length) - 1) return undefined;
  return Buffer.from(text).toString('latin1');
}
