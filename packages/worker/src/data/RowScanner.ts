const newline = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;

type State = 'fieldStart' | 'inField' | 'inQuotes' | 'afterQuote';

/**
 * Finds where the rows of a text file begin and end, without decoding it, from pieces of any size. A row ends with a newline (or carriage return
 * and newline); empty rows do not count. With a delimiter, rows are those of CSV (RFC 4180): a field that begins with a quote may hold
 * newlines, and goes on until a quote that is not doubled.
 */
export class RowScanner {
  readonly #delimiter: number | undefined;
  #state: State = 'fieldStart';
  #previous = newline;
  #position: number;
  #rowBegin: number;

  /** `delimiter` is one byte; `begin` is the position of the first piece in the file. */
  constructor(delimiter: number | undefined, begin: number) {
    this.#delimiter = delimiter;
    this.#position = begin;
    this.#rowBegin = begin;
  }

  /** The row that has begun and not ended, by its position in the file. */
  get unfinished(): { readonly begin: number; readonly bytes: number; readonly inQuotes: boolean } {
    return {
      begin: this.#rowBegin,
      bytes: this.#position - this.#rowBegin,
      inQuotes: this.#state === 'inQuotes',
    };
  }

  /** Calls `row` with the position of every row that ends in this piece; `end` is that of its newline. */
  push(piece: Uint8Array, row: (begin: number, end: number) => void): void {
    const delimiter = this.#delimiter;
    let state = this.#state;
    let previous = this.#previous;
    for (let index = 0; index < piece.length; index++) {
      const byte = piece[index];
      if (state === 'inQuotes') {
        if (byte === quote) state = 'afterQuote';
      } else if (byte === newline) {
        const end = this.#position + index - (previous === carriageReturn ? 1 : 0);
        if (end > this.#rowBegin) row(this.#rowBegin, end);
        this.#rowBegin = this.#position + index + 1;
        state = 'fieldStart';
      } else if (byte === delimiter) {
        state = 'fieldStart';
      } else if (byte === quote && delimiter !== undefined && state !== 'inField') {
        state = 'inQuotes';
      } else {
        state = 'inField';
      }
      previous = byte;
    }
    this.#state = state;
    this.#previous = previous;
    this.#position += piece.length;
  }

  /** After the last piece: the row that no newline ends. */
  finish(row: (begin: number, end: number) => void): void {
    const end = this.#position - (this.#previous === carriageReturn ? 1 : 0);
    if (end > this.#rowBegin) row(this.#rowBegin, end);
  }
}
