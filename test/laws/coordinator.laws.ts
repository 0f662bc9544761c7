import type {
  Coordinator,
  Lease,
  Member,
  MetricEntry,
  Placement,
} from '@tributary/coordinator/Coordinator.ts';
import { newestValidCheckpoint } from '@tributary/coordinator/checkpoints/newestValidCheckpoint.ts';
import { readRange } from '@tributary/coordinator/checkpoints/readRange.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { pseudoRandomBytes, writeChunks } from '../support/exampleCheckpoint.ts';
import { exampleRecord, uniqueJobName } from '../support/exampleJob.ts';

/* Above 400 lines, because it is one list: every sentence of the Coordinator's contract as a law, in the contract's order. */

/** Long enough to outlast any test. */
const longMs = 600_000;
/** Over before anybody looks twice. */
const shortMs = 1;

/** Waits for what comes with time, however busy the machine is. */
function eventually<T>(look: () => Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 20_000, interval: 5 });
}

/** What the contract in Coordinator.ts promises, sentence by sentence, for every backend. */
export function coordinatorLaws(backend: string, openAt: (job: string) => Promise<Coordinator>): void {
  const opened: Coordinator[] = [];

  async function open(job = uniqueJobName()): Promise<Coordinator> {
    const coordinator = await openAt(job);
    opened.push(coordinator);
    return coordinator;
  }

  /** Two processes of one job. */
  async function openTwo(): Promise<[Coordinator, Coordinator]> {
    const job = uniqueJobName();
    return [await open(job), await open(job)];
  }

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((coordinator) => coordinator.close()));
  });

  describe(`${backend}: members`, () => {
    test('are listed by id, the same to every process, until they leave', async () => {
      const [one, two] = await openTwo();
      await one.join(member('worker-b'), longMs);
      await two.join(member('server-a', { role: 'server', address: '10.0.0.1:7000' }), longMs);
      const both = [member('server-a', { role: 'server', address: '10.0.0.1:7000' }), member('worker-b')];
      expect(await one.members()).toEqual(both);
      expect(await two.members()).toEqual(both);
      await two.leave('worker-b');
      expect(await one.members()).toEqual([both[0]]);
    });

    test('are no longer listed once their time has run out, and are when they join again', async () => {
      const coordinator = await open();
      await coordinator.join(member('stays'), longMs);
      await coordinator.join(member('goes'), shortMs);
      await eventually(async () => expect(await coordinator.members()).toEqual([member('stays')]));
      await coordinator.join(member('goes'), longMs);
      expect((await coordinator.members()).map(({ id }) => id)).toEqual(['goes', 'stays']);
    });

    test('who join again are there once, as they are now', async () => {
      const coordinator = await open();
      await coordinator.join(member('a', { role: 'server', address: 'old:1' }), shortMs);
      await coordinator.join(member('a', { role: 'server', address: 'new:1' }), longMs);
      expect(await coordinator.members()).toEqual([member('a', { role: 'server', address: 'new:1' })]);
    });

    test('leave without harm when they are not there', async () => {
      const coordinator = await open();
      await coordinator.leave('nobody');
      expect(await coordinator.members()).toEqual([]);
    });
  });

  describe(`${backend}: leases`, () => {
    test('are held by one at a time', async () => {
      const [one, two] = await openTwo();
      const lease = await one.acquireLease('rank/0', 'a', longMs);
      expect(lease).toMatchObject({ name: 'rank/0', holder: 'a' });
      expect(await two.acquireLease('rank/0', 'b', longMs)).toBeUndefined();
      expect(await two.acquireLease('rank/1', 'b', longMs)).toBeDefined();
    });

    test('keep their token when their holder takes them again in time', async () => {
      const coordinator = await open();
      const lease = await take(coordinator, 'x', 'a');
      expect(await coordinator.acquireLease('x', 'a', longMs)).toEqual(lease);
    });

    test('have a greater token at each taking, also after release, expiry and under other names', async () => {
      const [one, two] = await openTwo();
      const tokens: number[] = [];
      const first = await take(one, 'x', 'a');
      await one.releaseLease(first);
      tokens.push(first.token, (await take(two, 'x', 'a', shortMs)).token);
      tokens.push((await takeOnceFree(one, 'x', 'b', shortMs)).token);
      tokens.push((await takeOnceFree(two, 'x', 'c')).token, (await take(one, 'y', 'a')).token);
      expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    });

    test('have a greater token when their holder takes them again too late', async () => {
      const coordinator = await open();
      const lease = await take(coordinator, 'x', 'a', shortMs);
      await untilRunOut(coordinator, 'x');
      expect((await take(coordinator, 'x', 'a')).token).toBeGreaterThan(lease.token);
    });

    test('of many who race for one, one gets it', async () => {
      const [one, two] = await openTwo();
      const racers = Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? one : two).acquireLease('x', `racer-${i}`, longMs),
      );
      const winners = (await Promise.all(racers)).filter((lease) => lease !== undefined);
      expect(winners).toHaveLength(1);
      expect(await one.leases()).toMatchObject([
        { name: 'x', holder: winners[0].holder, token: winners[0].token },
      ]);
    });

    test('are prolonged by renewal', async () => {
      const coordinator = await open();
      const lease = await take(coordinator, 'x', 'a', 60_000);
      expect(await coordinator.renewLease(lease, longMs)).toBe('renewed');
      const [view] = await coordinator.leases();
      expect(view.remainingMs).toBeGreaterThan(60_000);
      expect(view.remainingMs).toBeLessThanOrEqual(longMs);
    });

    test('that ran out are renewed as long as nobody took them since', async () => {
      const [one, two] = await openTwo();
      const lease = await take(one, 'x', 'a', shortMs);
      await untilRunOut(one, 'x');
      expect(await one.renewLease(lease, longMs)).toBe('renewed');
      expect(await two.acquireLease('x', 'b', longMs)).toBeUndefined();
    });

    test('are lost once another has them, and cannot be renewed or released by the last holder', async () => {
      const [one, two] = await openTwo();
      const lost = await take(one, 'x', 'a', shortMs);
      const current = await takeOnceFree(two, 'x', 'b');
      expect(await one.renewLease(lost, longMs)).toBe('lost');
      await one.releaseLease(lost);
      expect(await two.renewLease(current, longMs)).toBe('renewed');
    });

    test('are lost to an earlier token of the very same holder', async () => {
      const coordinator = await open();
      const earlier = await take(coordinator, 'x', 'a', shortMs);
      await untilRunOut(coordinator, 'x');
      await take(coordinator, 'x', 'a');
      expect(await coordinator.renewLease(earlier, longMs)).toBe('lost');
    });

    test('are free at once and lost when released', async () => {
      const [one, two] = await openTwo();
      const lease = await take(one, 'x', 'a');
      await one.releaseLease(lease);
      expect(await one.renewLease(lease, longMs)).toBe('lost');
      expect(await one.leases()).toEqual([]);
      expect(await two.acquireLease('x', 'b', longMs)).toBeDefined();
    });

    test('are listed by name, run out or not', async () => {
      const coordinator = await open();
      const b = await take(coordinator, 'b', 'holder', longMs);
      const a = await take(coordinator, 'a', 'holder', shortMs);
      await untilRunOut(coordinator, 'a');
      const views = await coordinator.leases();
      expect(views).toMatchObject([a, b]);
      expect(views[0].remainingMs).toBeLessThanOrEqual(0);
      expect(views[1].remainingMs).toBeGreaterThan(0);
    });
  });

  describe(`${backend}: placement`, () => {
    test('is undefined before the first, then the newest', async () => {
      const [one, two] = await openTwo();
      const fence = await take(one, 'controller', 'a');
      expect(await one.placement()).toBeUndefined();
      expect(await one.replacePlacement(placement(1), 0, fence)).toBe('written');
      expect(await two.placement()).toEqual(placement(1));
      expect(await one.replacePlacement(placement(2), 1, fence)).toBe('written');
      expect(await two.placement()).toEqual(placement(2));
    });

    test('is not replaced from another epoch than the present one', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      expect(await coordinator.replacePlacement(placement(2), 1, fence)).toBe('conflict');
      await coordinator.replacePlacement(placement(1), 0, fence);
      expect(await coordinator.replacePlacement(placement(1, 'other'), 0, fence)).toBe('conflict');
      expect(await coordinator.placement()).toEqual(placement(1));
    });

    test('skips no epoch: that would be a defect of the caller', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      await expect(coordinator.replacePlacement(placement(2), 0, fence)).rejects.toThrow('broken invariant');
    });

    test('is written by one of many who race', async () => {
      const [one, two] = await openTwo();
      const fence = await take(one, 'controller', 'a');
      const racers = Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? one : two).replacePlacement(placement(1, `racer-${i}`), 0, fence),
      );
      const outcomes = await Promise.all(racers);
      expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(9);
      expect((await one.placement())?.checkpoint).toBe(`racer-${outcomes.indexOf('written')}`);
    });

    test('is not written by who lost the fence, whatever the epoch', async () => {
      const [one, two] = await openTwo();
      const lost = await take(one, 'controller', 'a', shortMs);
      await takeOnceFree(two, 'controller', 'b');
      expect(await one.replacePlacement(placement(1), 0, lost)).toBe('fenced');
      expect(await one.replacePlacement(placement(8), 7, lost)).toBe('fenced');
      expect(await one.placement()).toBeUndefined();
    });

    test('is written by who let the fence run out that nobody took', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a', shortMs);
      await untilRunOut(coordinator, 'controller');
      expect(await coordinator.replacePlacement(placement(1), 0, fence)).toBe('written');
    });
  });

  describe(`${backend}: the job's record`, () => {
    test('is created once and read as it was written', async () => {
      const [one, two] = await openTwo();
      expect(await one.jobRecord()).toBeUndefined();
      const outcomes = await Promise.all([
        one.createJob(exampleRecord()),
        two.createJob(exampleRecord({ endStep: 1 })),
      ]);
      expect(outcomes.toSorted()).toEqual(['created', 'exists']);
      expect(await one.jobRecord()).toEqual(exampleRecord(outcomes[0] === 'created' ? {} : { endStep: 1 }));
      expect(await one.createJob(exampleRecord({ state: 'failed' }))).toBe('exists');
    });

    test('is not seen by another job', async () => {
      const [one, other] = [await open(), await open()];
      await one.createJob(exampleRecord());
      expect(await other.jobRecord()).toBeUndefined();
    });

    test('changes in what is named and in nothing else', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      await coordinator.createJob(exampleRecord());
      expect(await coordinator.updateJob({ endStep: 40 }, fence)).toBe('written');
      expect(await coordinator.jobRecord()).toEqual(exampleRecord({ endStep: 40 }));
      expect(await coordinator.updateJob({ state: 'failed', error: 'Größe: "x"' }, fence)).toBe('written');
      expect(await coordinator.jobRecord()).toEqual(
        exampleRecord({ endStep: 40, state: 'failed', error: 'Größe: "x"' }),
      );
      expect(await coordinator.updateJob({ state: 'running', error: '', endStep: 0 }, fence)).toBe('written');
      expect(await coordinator.jobRecord()).toEqual(exampleRecord({ endStep: 0 }));
      expect(await coordinator.updateJob({}, fence)).toBe('written');
      expect(await coordinator.jobRecord()).toEqual(exampleRecord({ endStep: 0 }));
    });

    test('cannot change before there is one', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      expect(await coordinator.updateJob({ state: 'failed' }, fence)).toBe('conflict');
      expect(await coordinator.jobRecord()).toBeUndefined();
    });

    test('is replaced as a whole', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      await coordinator.createJob(exampleRecord({ error: 'old', state: 'failed' }));
      const anew = exampleRecord({ hash: 'another', createdAtMs: 1_800_000_000_000, endStep: 7 });
      expect(await coordinator.replaceJob(anew, fence)).toBe('written');
      expect(await coordinator.jobRecord()).toEqual(anew);
    });

    test('is neither changed nor replaced by who lost the fence', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      await coordinator.createJob(exampleRecord());
      await coordinator.releaseLease(fence);
      expect(await coordinator.updateJob({ state: 'failed' }, fence)).toBe('fenced');
      expect(await coordinator.replaceJob(exampleRecord({ endStep: 1 }), fence)).toBe('fenced');
      expect(await coordinator.jobRecord()).toEqual(exampleRecord());
    });
  });

  describe(`${backend}: metrics`, () => {
    test('are read in the order in which they were appended, as they were', async () => {
      const [one, two] = await openTwo();
      const all: MetricEntry[] = [
        step(1),
        { kind: 'evaluation', step: 1, loss: 0.25, accuracy: null, tookMs: 3, timeMs: 2 },
        { kind: 'rejected', rank: 3, step: 1, tensor: 'layer/w', reason: 'NaN', total: 1, timeMs: 3 },
        { kind: 'event', level: 'warning', source: 'worker', message: 'zwölf "Boxkämpfer"\n', timeMs: 4 },
      ];
      await one.appendMetrics(all.slice(0, 3));
      await two.appendMetrics(all.slice(3));
      expect((await two.readMetrics('', 100)).entries).toEqual(all);
    });

    test('are read on from a cursor: nothing twice, nothing left out', async () => {
      const coordinator = await open();
      const all = Array.from({ length: 25 }, (_, i) => step(i));
      await coordinator.appendMetrics(all.slice(0, 20));
      const read: MetricEntry[] = [];
      let cursor = '';
      for (const expected of [10, 10, 0]) {
        const answer = await coordinator.readMetrics(cursor, 10);
        expect(answer.entries).toHaveLength(expected);
        read.push(...answer.entries);
        cursor = answer.cursor;
      }
      await coordinator.appendMetrics(all.slice(20));
      read.push(...(await coordinator.readMetrics(cursor, 10)).entries);
      expect(read).toEqual(all);
    });

    test('of a job without any are empty, and the cursor stays', async () => {
      const coordinator = await open();
      expect(await coordinator.readMetrics('', 10)).toEqual({ entries: [], cursor: '' });
      await coordinator.appendMetrics([]);
      expect(await coordinator.readMetrics('', 10)).toEqual({ entries: [], cursor: '' });
    });

    test('sent twice as one batch are there once; a writer does not hold up another', async () => {
      const coordinator = await open();
      await coordinator.appendMetrics([step(1)], { writer: 'a', sequence: 1 });
      await coordinator.appendMetrics([step(1)], { writer: 'a', sequence: 1 });
      await coordinator.appendMetrics([step(2)], { writer: 'b', sequence: 1 });
      await coordinator.appendMetrics([step(3)], { writer: 'a', sequence: 2 });
      await coordinator.appendMetrics([step(1)], { writer: 'a', sequence: 1 });
      expect((await coordinator.readMetrics('', 10)).entries).toEqual([step(1), step(2), step(3)]);
    });

    test('refuse a cursor that is none', async () => {
      const coordinator = await open();
      await expect(coordinator.readMetrics('yesterday', 10)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    });
  });

  describe(`${backend}: checkpoints`, () => {
    test('hold chunks of 4 MiB to the byte', async () => {
      const [one, two] = await openTwo();
      const bytes = pseudoRandomBytes(limits.checkpointChunkBytes);
      // A view into a larger buffer: only the view is the chunk.
      const view = new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 4);
      await one.checkpoints.putChunk('c', 0, bytes);
      await one.checkpoints.putChunk('c', 1, view);
      expect(Buffer.compare((await two.checkpoints.getChunk('c', 0))!, bytes)).toBe(0);
      expect([...(await two.checkpoints.getChunk('c', 1))!]).toEqual([2, 3, 4]);
      expect(await two.checkpoints.getChunk('c', 2)).toBeUndefined();
      expect(await two.checkpoints.getChunk('d', 0)).toBeUndefined();
    });

    test('have a chunk replaced by writing it again', async () => {
      const { checkpoints } = await open();
      await checkpoints.putChunk('c', 0, new Uint8Array([1, 2, 3]));
      await checkpoints.putChunk('c', 0, new Uint8Array([4]));
      expect([...(await checkpoints.getChunk('c', 0))!]).toEqual([4]);
    });

    test('exist from the moment their manifest is committed', async () => {
      const [one, two] = await openTwo();
      const fence = await take(one, 'controller', 'a');
      const manifest = await writeChunks(one.checkpoints, 'c', [new Uint8Array(3)]);
      expect(await two.checkpoints.list()).toEqual([]);
      expect(await one.checkpoints.commit(manifest, fence)).toBe('written');
      expect(await two.checkpoints.list()).toEqual([manifest]);
    });

    test('are not committed while a chunk is missing', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      const manifest = await writeChunks(coordinator.checkpoints, 'c', [new Uint8Array(3)]);
      const more = {
        ...manifest,
        chunks: [...manifest.chunks, { index: 1, offset: 3, bytes: 1, sha256: '' }],
      };
      expect(await coordinator.checkpoints.commit(more, fence)).toBe('conflict');
      expect(await coordinator.checkpoints.commit({ ...manifest, id: 'nothing written' }, fence)).toBe(
        'conflict',
      );
      expect(await coordinator.checkpoints.list()).toEqual([]);
      await coordinator.checkpoints.putChunk('c', 1, new Uint8Array(1));
      expect(await coordinator.checkpoints.commit(more, fence)).toBe('written');
    });

    test('are not committed under an id that is taken', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      const manifest = await commit(coordinator, 'c', 10, fence);
      expect(await coordinator.checkpoints.commit({ ...manifest, step: 99 }, fence)).toBe('conflict');
      expect(await coordinator.checkpoints.list()).toEqual([manifest]);
    });

    test('are not committed by who lost the fence', async () => {
      const [one, two] = await openTwo();
      const lost = await take(one, 'controller', 'a', shortMs);
      const manifest = await writeChunks(one.checkpoints, 'c', [new Uint8Array(3)]);
      await takeOnceFree(two, 'controller', 'b');
      expect(await one.checkpoints.commit(manifest, lost)).toBe('fenced');
      expect(await two.checkpoints.list()).toEqual([]);
    });

    test('are listed newest first: greatest step, then latest', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      await commit(coordinator, 'old-20', 20, fence, 1);
      await commit(coordinator, '100', 100, fence, 2);
      await commit(coordinator, 'new-20', 20, fence, 3);
      await commit(coordinator, '9', 9, fence, 4);
      expect(await listIds(coordinator)).toEqual(['100', 'new-20', 'old-20', '9']);
    });

    test('are kept up to a number; the others go with their chunks', async () => {
      const coordinator = await open();
      const { checkpoints } = coordinator;
      const fence = await take(coordinator, 'controller', 'a');
      for (const at of [10, 20, 100, 90]) await commit(coordinator, `s${at}`, at, fence);
      await writeChunks(checkpoints, 'begun', [new Uint8Array(3)]);
      await writeChunks(checkpoints, 'given up', [new Uint8Array(3)]);
      await checkpoints.retain(2, ['begun']);
      expect(await listIds(coordinator)).toEqual(['s100', 's90']);
      const kept = async (id: string) => (await checkpoints.getChunk(id, 0)) !== undefined;
      const ids = ['s10', 's20', 's90', 's100', 'begun', 'given up'];
      expect(await Promise.all(ids.map(kept))).toEqual([false, false, true, true, true, false]);
    });

    test('of another job are not touched', async () => {
      const [one, other] = [await open(), await open()];
      await commit(one, 'c', 10, await take(one, 'controller', 'a'));
      await other.checkpoints.retain(0, []);
      expect(await other.checkpoints.list()).toEqual([]);
      expect(await listIds(one)).toEqual(['c']);
      expect(await one.checkpoints.getChunk('c', 0)).toBeDefined();
    });

    test('that are damaged are told and passed over for the one before', async () => {
      const coordinator = await open();
      const { checkpoints } = coordinator;
      const fence = await take(coordinator, 'controller', 'a');
      expect(await newestValidCheckpoint(checkpoints)).toBeUndefined();
      const good = await commit(coordinator, 'good', 10, fence);
      await commit(coordinator, 'bit', 20, fence);
      await commit(coordinator, 'short', 30, fence);
      await commit(coordinator, 'gap', 40, fence, 0, { bytes: 7 });
      await checkpoints.putChunk('bit', 1, new Uint8Array([4, 5, 7]));
      await checkpoints.putChunk('short', 0, new Uint8Array([1, 2]));
      const told: string[] = [];
      const found = await newestValidCheckpoint(checkpoints, {
        onCorrupt: ({ id }, why) => told.push(`${id}: ${why}`),
      });
      expect(found).toEqual(good);
      expect(told).toEqual([
        'gap: its chunks have 6 bytes instead of 7',
        'short: chunk 0 of checkpoint short has 2 bytes instead of 3',
        'bit: chunk 1 of checkpoint bit does not have the checksum it was written with',
      ]);
    });

    test('of another specification do not count where one is asked for', async () => {
      const coordinator = await open();
      const fence = await take(coordinator, 'controller', 'a');
      const ours = await commit(coordinator, 'ours', 10, fence, 0, { jobHash: 'ours' });
      const theirs = await commit(coordinator, 'theirs', 20, fence, 0, { jobHash: 'theirs' });
      expect(await newestValidCheckpoint(coordinator.checkpoints, { jobHash: 'ours' })).toEqual(ours);
      expect(await newestValidCheckpoint(coordinator.checkpoints)).toEqual(theirs);
    });

    test('are read in any range of bytes, and no further chunk is touched', async () => {
      const coordinator = await open();
      const { checkpoints } = coordinator;
      const chunks = [new Uint8Array([0, 1, 2]), new Uint8Array([3]), new Uint8Array([4, 5, 6, 7])];
      const manifest = await writeChunks(checkpoints, 'c', chunks);
      for (let from = 0; from <= 8; from++) {
        for (let to = from; to <= 8; to++) {
          const expected = Array.from({ length: to - from }, (_, i) => from + i);
          expect([...(await readRange(checkpoints, manifest, from, to - from))]).toEqual(expected);
        }
      }
      await expect(readRange(checkpoints, manifest, 7, 2)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
      await checkpoints.putChunk('c', 2, new Uint8Array([4, 5, 6, 8]));
      expect([...(await readRange(checkpoints, manifest, 1, 3))]).toEqual([1, 2, 3]);
      await expect(readRange(checkpoints, manifest, 3, 2)).rejects.toMatchObject({ code: 'DATA_LOSS' });
    });
  });

  test(`${backend}: knows its job and its address`, async () => {
    const job = uniqueJobName();
    const coordinator = await open(job);
    expect(coordinator.job).toBe(job);
    expect(coordinator.url).toMatch(/^(redis|sqlite):/);
  });
}

function member(id: string, changes: Partial<Member> = {}): Member {
  return { id, role: 'worker', address: '', startedAtMs: 1_700_000_000_000, ...changes };
}

function placement(epoch: number, checkpoint = 'g1-s0'): Placement {
  return {
    epoch,
    generation: 1,
    checkpoint,
    shards: [{ begin: 0, end: 20, server: 'server-a', address: 'unix:/tmp/a.sock' }],
    ranks: ['worker-a', ''],
  };
}

function step(number: number): MetricEntry {
  return { kind: 'step', step: number, loss: 1 / (number + 3), examples: 64, timeMs: number, staleness: 0 };
}

async function take(coordinator: Coordinator, name: string, holder: string, ttlMs = longMs): Promise<Lease> {
  const lease = await coordinator.acquireLease(name, holder, ttlMs);
  expect(lease).toBeDefined();
  return lease!;
}

function takeOnceFree(
  coordinator: Coordinator,
  name: string,
  holder: string,
  ttlMs = longMs,
): Promise<Lease> {
  return eventually(() => take(coordinator, name, holder, ttlMs));
}

function untilRunOut(coordinator: Coordinator, name: string): Promise<void> {
  return eventually(async () => {
    const lease = (await coordinator.leases()).find((view) => view.name === name);
    expect(lease?.remainingMs).toBeLessThanOrEqual(0);
  });
}

/** A whole checkpoint of two small chunks. */
async function commit(
  coordinator: Coordinator,
  id: string,
  atStep: number,
  fence: Lease,
  createdAtMs = 0,
  changes: { bytes?: number; jobHash?: string } = {},
) {
  const chunks = [new Uint8Array([1, 2, 3]), new Uint8Array([4, 5, 6])];
  const manifest = await writeChunks(coordinator.checkpoints, id, chunks, {
    step: atStep,
    createdAtMs,
    ...changes,
  });
  expect(await coordinator.checkpoints.commit(manifest, fence)).toBe('written');
  return manifest;
}

async function listIds(coordinator: Coordinator): Promise<string[]> {
  return (await coordinator.checkpoints.list()).map(({ id }) => id);
}
