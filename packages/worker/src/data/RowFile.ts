import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { type DataFile, type FilePath, openDataFile } from './DataFile.ts';
import { RowIndex } from './RowIndex.ts';
import { RowScanner } from './RowScanner.ts';
import { readRuns } from './readRuns.ts';

/** A row of a text file. */
export interface Row {
  readonly text: string;
  /** Position of its first byte in the file. */
  readonly begin: number;
}

/**
 * Rows of a text file by number, without the file in memory.
 *
 * Opening reads the file once and notes where rows begin: every row at first, then, as their number grows, every second, every fourth, so that the
 * index never outgrows its bound. A row is found by reading on from the nearest place noted before it.
 */
export interface RowFile {
  readonly path: string;
  readonly count: number;
  /** The given rows in the given order. */
  read(rows: Uint32Array): Promise<Row[]>;
  /** The number, from 1, of the line in which a position lies. Reads the file up to there: for messages. */
  lineAt(position: number): Promise<number>;
  close(): Promise<void>;
}

/** With a `delimiter` (one character) rows are those of CSV, where quotes may enclose newlines; without, rows are lines. */
export async function openRowFile(
  source: FilePath,
  { folder, delimiter }: { folder: string | undefined; delimiter?: string },
): Promise<RowFile> {
  const file = await openDataFile(source, folder);
  const delimiterByte = delimiter?.charCodeAt(0);
  try {
    const index = await indexRows(file, delimiterByte);
    return {
      path: file.path,
      count: index.count,
      read: (rows) => readRows(file, index, delimiterByte, rows),
      lineAt: (position) => lineAt(file, position),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The file from `begin` to `end` in pieces; each is overwritten by the next. */
async function* pieces(file: DataFile, begin: number, end: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(limits.dataReadBytes, end - begin));
  for (let position = begin; position < end; position += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, end - position));
    await file.read(piece, position);
    yield piece;
  }
}

async function indexRows(file: DataFile, delimiter: number | undefined): Promise<RowIndex> {
  const begin = await byteOrderMarkBytes(file);
  const scanner = new RowScanner(delimiter, begin);
  const index = new RowIndex(limits.dataIndexEntriesMax);
  const add = (rowBegin: number) => index.add(rowBegin);
  for await (const piece of pieces(file, begin, file.size)) {
    scanner.push(piece, add);
    const { begin: rowBegin, bytes } = scanner.unfinished;
    if (bytes > limits.dataRowBytesMax)
      throw await unclosed(file, rowBegin, `is longer than ${limits.dataRowBytesMax} bytes`);
  }
  const { begin: rowBegin, inQuotes } = scanner.unfinished;
  if (inQuotes) throw await unclosed(file, rowBegin, 'has a quote that is never closed');
  scanner.finish(add);
  if (index.count > limits.elementsMax) {
    throw new TributaryError(
      'RESOURCE_EXHAUSTED',
      `${file.path} has ${index.count} rows, but at most ${limits.elementsMax} are possible`,
    );
  }
  return index;
}

async function unclosed(file: DataFile, rowBegin: number, what: string): Promise<TributaryError> {
  return new TributaryError(
    'INVALID_ARGUMENT',
    `${file.path}:${await lineAt(file, rowBegin)}: the row that begins here ${what}`,
    {
      hint: 'Close the quote; a quote within a quoted value is written twice.',
    },
  );
}

/** Programs on Windows put EF BB BF before text in UTF-8. */
async function byteOrderMarkBytes(file: DataFile): Promise<number> {
  const start = new Uint8Array(Math.min(3, file.size));
  await file.read(start, 0);
  return start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? 3 : 0;
}

async function readRows(
  file: DataFile,
  index: RowIndex,
  delimiter: number | undefined,
  wanted: Uint32Array,
): Promise<Row[]> {
  const rows = new Array<Row>(wanted.length);
  const { stride } = index;
  const blockBegin = (block: number) => (block < index.blocks ? index.blockBegin(block) : file.size);
  const blocks = wanted.map((row) => Math.floor(row / stride));
  await readRuns(blocks, blockBegin, async ({ first, last, places }) => {
    const begin = blockBegin(first);
    const bytes = Buffer.allocUnsafe(blockBegin(last + 1) - begin);
    await file.read(bytes, begin);
    const found: number[] = [];
    const note = (rowBegin: number, rowEnd: number) => void found.push(rowBegin - begin, rowEnd - begin);
    const scanner = new RowScanner(delimiter, begin);
    scanner.push(bytes, note);
    scanner.finish(note);
    for (const place of places) {
      const at = 2 * (wanted[place] - first * stride);
      rows[place] = { text: bytes.toString('utf8', found[at], found[at + 1]), begin: begin + found[at] };
    }
  });
  return rows;
}

async function lineAt(file: DataFile, position: number): Promise<number> {
  let line = 1;
  for await (const piece of pieces(file, 0, position)) {
    for (const byte of piece) if (byte === 0x0a) line++;
  }
  return line;
}
