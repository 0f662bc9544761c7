import type { Span } from './Trace.ts';

/** A line on which spans are drawn that do not overlap. */
interface Lane {
  readonly thread: number;
  endUs: number;
}

/**
 * Spans of one process as events of Chrome's trace format, one line of JSON each: "Trace Event Format", Duvall and others, 2016. A process is a row of
 * its own; what we call a row is a thread there, and spans that overlap, which threads have not, get one thread each.
 */
export class TraceEvents {
  readonly #process: number;
  readonly #rows = new Map<string, Lane[]>();
  #threads = 0;

  constructor(process: number) {
    this.#process = process;
  }

  /** The event that names the process. */
  named(name: string): string {
    return this.#nameEvent('process_name', 0, name);
  }

  /** The events that tell of a span. Spans are to come in the order of their ends. */
  of(span: Span): string[] {
    const { row, name, beginUs, endUs, args } = span;
    const lanes = this.#rows.get(row) ?? [];
    this.#rows.set(row, lanes);
    const found = lanes.find((lane) => lane.endUs <= beginUs);
    const lane = found ?? { thread: ++this.#threads, endUs };
    lane.endUs = endUs;
    const event = JSON.stringify({
      ...{ name, ph: 'X', pid: this.#process, tid: lane.thread },
      ...{ ts: rounded(beginUs), dur: rounded(endUs - beginUs), args },
    });
    if (found !== undefined) return [event];
    lanes.push(lane);
    const suffix = lanes.length === 1 ? '' : ` (${lanes.length})`;
    return [this.#nameEvent('thread_name', lane.thread, row + suffix), event];
  }

  #nameEvent(kind: string, thread: number, name: string): string {
    return JSON.stringify({ name: kind, ph: 'M', pid: this.#process, tid: thread, args: { name } });
  }
}

/** A tenth of a microsecond is less than the clocks of two processes differ. */
function rounded(us: number): number {
  return Math.round(us * 10) / 10;
}
