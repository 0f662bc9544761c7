import { type Span, Trace } from '@tributary/core/trace/Trace.ts';
import { TraceEvents } from '@tributary/core/trace/TraceEvents.ts';
import { expect, test } from 'vitest';

const span = (row: string, beginUs: number, endUs: number): Span => ({
  ...{ row, name: `${row} at ${beginUs}`, beginUs, endUs },
  args: {},
});

function parsed(lines: readonly string[]) {
  return lines.map((line) => JSON.parse(line));
}

test('a span is one event, in µs, on a thread that bears the name of its row', () => {
  const events = new TraceEvents(7);
  const given: Span = { row: 'push', name: 'send', beginUs: 100.04, endUs: 350.26, args: { step: 3 } };
  expect(parsed(events.of(given))).toEqual([
    { name: 'thread_name', ph: 'M', pid: 7, tid: 1, args: { name: 'push' } },
    { name: 'send', ph: 'X', pid: 7, tid: 1, ts: 100, dur: 250.2, args: { step: 3 } },
  ]);
  expect(parsed([events.named('worker 1')])).toEqual([
    { name: 'process_name', ph: 'M', pid: 7, tid: 0, args: { name: 'worker 1' } },
  ]);
});

test('spans of one row that overlap get threads of their own, and those that do not share one', () => {
  const events = new TraceEvents(1);
  // By their ends, as they come: the second lies within the first, which ends later.
  const spans = [span('a', 10, 20), span('a', 0, 30), span('a', 20, 40), span('b', 0, 50), span('a', 35, 60)];
  const all = parsed(spans.flatMap((each) => events.of(each)));
  const threads = new Map(all.filter(({ ph }) => ph === 'M').map(({ tid, args }) => [tid, args.name]));
  expect([...threads.values()]).toEqual(['a', 'a (2)', 'b']);
  const drawn = all.filter(({ ph }) => ph === 'X');
  expect(drawn.map(({ tid }) => threads.get(tid))).toEqual(['a', 'a (2)', 'a', 'b', 'a (2)']);
});

test('a trace measures by its clock, and a part of it names its rows', () => {
  const spans: Span[] = [];
  let now = 5;
  const trace = new Trace(
    () => now,
    (each) => spans.push(each),
  );
  const outer = trace.begin('row', 'outer', { step: 1 });
  now = 7;
  const inner = trace.within('shard 2').begin('row', 'inner');
  now = 8;
  inner();
  now = 11;
  outer();
  expect(spans).toEqual([
    { row: 'shard 2: row', name: 'inner', beginUs: 7, endUs: 8, args: {} },
    { row: 'row', name: 'outer', beginUs: 5, endUs: 11, args: { step: 1 } },
  ]);
});
