import { openSync, writeSync } from 'node:fs';
import { asTributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { Trace } from '@tributary/core/trace/Trace.ts';
import { TraceEvents } from '@tributary/core/trace/TraceEvents.ts';
import { traceClock } from '@tributary/worker/training/traceClock.ts';
import { writing } from '../files/writing.ts';

/**
 * The trace of one process as a file that Perfetto opens: an array of events, a line each. It is appended to now and then, so that of a process that is killed only the
 * last moments are missing; the format does not ask for the closing bracket.
 */
export class TraceFile {
  readonly trace: Trace;
  readonly #path: string;
  readonly #file: number;
  readonly #onTrouble: (message: string) => void;
  readonly #timer: NodeJS.Timeout;
  #lines: string[] = [];
  #spans = 0;
  #isOver = false;

  /** Throws, naming the path, where it cannot be written. Trouble later on ends the trace, not the process. */
  constructor(path: string, processName: string, onTrouble: (message: string) => void) {
    const events = new TraceEvents(process.pid);
    this.#path = path;
    this.#file = writing(path, () => openSync(path, 'w'));
    this.#onTrouble = onTrouble;
    this.#lines.push(`[${events.named(processName)}`);
    this.#timer = setInterval(() => this.#flush(), limits.traceFlushMs).unref();
    this.trace = new Trace(traceClock, (span) => {
      if (this.#isOver) return;
      for (const event of events.of(span)) this.#lines.push(`,${event}`);
      if (this.#lines.length >= limits.traceLinesMax) this.#flush();
      if (++this.#spans < limits.traceSpansMax) return;
      onTrouble(`the trace ends here: it has ${this.#spans} spans`);
      this.close();
    });
  }

  close(): void {
    if (!this.#isOver) this.#lines.push(']');
    this.#flush();
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  #flush(): void {
    if (this.#isOver || this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    try {
      writing(this.#path, () => writeSync(this.#file, text));
    } catch (error) {
      this.#isOver = true;
      this.#onTrouble(`the trace ends here: ${asTributaryError(error).line}`);
    }
  }
}
