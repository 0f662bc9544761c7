import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '@tributary/core/limits/limits.ts';
import { expect, test } from 'vitest';
import { TraceFile } from '../../packages/cli/src/trace/TraceFile.ts';
import { processOf, TraceParts } from '../../packages/cli/src/trace/TraceParts.ts';
import { temporaryFolder } from '../cluster/tributary.ts';

const noTrouble = (message: string) => expect.unreachable(message);

test('the trace of one process is JSON, in the order of the ends', () => {
  const path = join(temporaryFolder(), 'trace.json');
  const file = new TraceFile(path, 'worker 1', noTrouble);
  file.trace.begin('row', 'first')();
  file.trace.begin('row', 'second')();
  file.close();
  file.trace.begin('row', 'too late')();
  const events = JSON.parse(readFileSync(path, 'utf8'));
  expect(events.map(({ name }: { name: string }) => name)).toEqual([
    ...['process_name', 'thread_name', 'first', 'second'],
  ]);
  const wallUs = Date.now() * 1000;
  for (const { ts } of events.slice(2)) expect(Math.abs(ts - wallUs)).toBeLessThan(60e6);
});

test('parts become one file; the half line of a killed process is left out, and the parts are gone', async () => {
  const path = join(temporaryFolder(), 'trace.json');
  const parts = new TraceParts(path);
  for (const name of ['server 1', 'worker 1', 'worker 1, start 2']) {
    const file = new TraceFile(parts.part(name), processOf(parts.part(name)), noTrouble);
    file.trace.begin('row', `of ${name}`)();
    file.close();
  }
  const killed = parts.part('worker 1');
  writeFileSync(killed, readFileSync(killed, 'utf8').replace(/\]\n$/, ''));
  appendFileSync(killed, ',{"name":"torn","ph":"X","pid":1,"ti');
  // One that was killed before it could say anything.
  writeFileSync(parts.part('worker 2'), '');
  await parts.merge();
  const events = JSON.parse(readFileSync(path, 'utf8'));
  const named = (kind: string) =>
    events.filter(({ ph }: { ph: string }) => ph === kind).map((event: { name: string }) => event.name);
  expect(named('X').sort()).toEqual(['of server 1', 'of worker 1', 'of worker 1, start 2']);
  expect(named('M').filter((name: string) => name === 'process_name')).toHaveLength(3);
  expect(existsSync(`${path}.parts`)).toBe(false);
});

test('a trace has a bound: beyond it the process goes on, and says so', () => {
  const path = join(temporaryFolder(), 'trace.json');
  const troubles: string[] = [];
  const file = new TraceFile(path, 'worker 1', (message) => troubles.push(message));
  for (let index = 0; index < limits.traceSpansMax + 10; index++) {
    file.trace.add({ row: 'row', name: '', beginUs: index, endUs: index + 1, args: {} });
  }
  file.close();
  expect(troubles).toEqual([`the trace ends here: it has ${limits.traceSpansMax} spans`]);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(limits.traceSpansMax + 3);
  expect(lines.at(-1)).toBe(']');
});

test('a disk that is full ends the trace, not the process', () => {
  const troubles: string[] = [];
  const file = new TraceFile('/dev/full', 'worker 1', (message) => troubles.push(message));
  for (let index = 0; index < 2 * limits.traceLinesMax; index++) file.trace.begin('row', 'span')();
  file.close();
  expect(troubles).toEqual([
    expect.stringMatching(/^the trace ends here: \/dev\/full does not fit on its disk/),
  ]);
});
