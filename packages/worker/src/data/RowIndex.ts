/**
 * Where every stride-th row of a file begins. The stride doubles each time the index is full, so that memory is bounded whatever the number of rows,
 * and finding a row means reading over at most stride - 1 others.
 */
export class RowIndex {
  readonly #begins: Float64Array;
  #count = 0;
  #stride = 1;

  /** `entriesMax` is even. */
  constructor(entriesMax: number) {
    this.#begins = new Float64Array(entriesMax);
  }

  /** Rows added. */
  get count(): number {
    return this.#count;
  }

  get stride(): number {
    return this.#stride;
  }

  /** Blocks of `stride` rows (the last may have fewer). */
  get blocks(): number {
    return Math.ceil(this.#count / this.#stride);
  }

  /** The next row begins at this position of the file. */
  add(begin: number): void {
    const begins = this.#begins;
    if (this.#count === begins.length * this.#stride) {
      for (let kept = 1; 2 * kept < begins.length; kept++) begins[kept] = begins[2 * kept];
      this.#stride *= 2;
    }
    if (this.#count % this.#stride === 0) begins[this.#count / this.#stride] = begin;
    this.#count++;
  }

  /** Where row `block * stride` begins. */
  blockBegin(block: number): number {
    return this.#begins[block];
  }
}
