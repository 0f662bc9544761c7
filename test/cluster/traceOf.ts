import { readFileSync } from 'node:fs';

/** A span as the trace of a run has it: in ms, with the names of its process and its row. */
export interface TracedSpan {
  readonly process: string;
  readonly row: string;
  readonly name: string;
  readonly beginMs: number;
  readonly endMs: number;
  readonly args: Readonly<Record<string, number | string>>;
}

interface Event {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, string>>;
}

/** The spans of a trace file, by their begins. */
export function traceOf(path: string): TracedSpan[] {
  const events = JSON.parse(readFileSync(path, 'utf8')) as Event[];
  const names = new Map(
    events.filter(({ ph }) => ph === 'M').map(({ pid, tid, args }) => [`${pid} ${tid}`, args.name]),
  );
  return events
    .filter(({ ph }) => ph === 'X')
    .map(({ name, pid, tid, ts, dur, args }) => ({
      process: names.get(`${pid} 0`)!,
      row: names.get(`${pid} ${tid}`)!,
      ...{ name, beginMs: ts / 1000, endMs: (ts + dur) / 1000, args },
    }))
    .sort((a, b) => a.beginMs - b.beginMs);
}
