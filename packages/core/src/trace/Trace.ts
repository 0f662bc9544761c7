/** A stretch of time that a process spent on one thing. Times are microseconds since 1970, of a clock that all processes share. */
export interface Span {
  /** Under what it is drawn. */
  readonly row: string;
  readonly name: string;
  readonly beginUs: number;
  readonly endUs: number;
  readonly args: Readonly<Record<string, string | number>>;
}

/**
 * Where a process says what takes how long. There is none unless it was asked for, so that `trace?.begin(…)` costs one branch: what stands in the
 * brackets is then not even computed.
 */
export class Trace {
  readonly #nowUs: () => number;
  readonly #onSpan: (span: Span) => void;

  constructor(nowUs: () => number, onSpan: (span: Span) => void) {
    this.#nowUs = nowUs;
    this.#onSpan = onSpan;
  }

  /** Begins a span, and returns what ends it. One that is never ended, as after an error, is not told of. */
  begin(row: string, name: string, args: Span['args'] = {}): () => void {
    const beginUs = this.#nowUs();
    return () => this.#onSpan({ row, name, beginUs, endUs: this.#nowUs(), args });
  }

  /** The same trace for a part of the process, whose rows begin with its name. */
  within(part: string): Trace {
    return new Trace(this.#nowUs, (span) => this.#onSpan({ ...span, row: `${part}: ${span.row}` }));
  }

  /** One that was measured elsewhere, as in another thread. */
  add(span: Span): void {
    this.#onSpan(span);
  }
}
