import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { invariant } from '@tributary/core/errors/invariant.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import type {
  CheckpointStore,
  Coordinator,
  JobChange,
  JobRecord,
  Lease,
  LeaseView,
  Member,
  MetricBatch,
  MetricEntry,
  Placement,
  WriteOutcome,
} from '../Coordinator.ts';
import { isHeld } from './isHeld.ts';
import { SqliteCheckpointStore } from './SqliteCheckpointStore.ts';
import { SqliteFile } from './SqliteFile.ts';

export async function openSqliteCoordinator(path: string, job: string): Promise<Coordinator> {
  return new SqliteCoordinator(await SqliteFile.open(path), job);
}

/** Names of the jobs in a file, in order. */
export async function listSqliteJobs(path: string): Promise<string[]> {
  if (!existsSync(path)) {
    throw new TributaryError('NOT_FOUND', `there is no coordinator file ${path}`, {
      hint: 'A training run makes it; give its path as sqlite:PATH.',
    });
  }
  const file = await SqliteFile.open(path);
  try {
    const rows = await file.read((database) => database.prepare('SELECT job FROM jobs ORDER BY job').all());
    return rows.map((row) => row.job as string);
  } finally {
    file.close();
  }
}

/** Time is the wall clock of the machine, which all users of the file share. */
export class SqliteCoordinator implements Coordinator {
  readonly url: string;
  readonly job: string;
  readonly checkpoints: CheckpointStore;
  readonly #file: SqliteFile;

  constructor(file: SqliteFile, job: string) {
    this.url = `sqlite:${file.path}`;
    this.job = job;
    this.checkpoints = new SqliteCheckpointStore(file, job);
    this.#file = file;
  }

  async join(member: Member, ttlMs: number): Promise<void> {
    await this.#file.write((database) => {
      const now = Date.now();
      database.prepare('DELETE FROM members WHERE job = ? AND expiresAtMs <= ?').run(this.job, now);
      database
        .prepare('INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?)')
        .run(this.job, member.id, JSON.stringify(member), now + ttlMs);
    });
  }

  async leave(memberId: string): Promise<void> {
    await this.#run('DELETE FROM members WHERE job = ? AND id = ?', memberId);
  }

  async members(): Promise<Member[]> {
    const rows = await this.#all(
      'SELECT record FROM members WHERE job = ? AND expiresAtMs > ? ORDER BY id',
      Date.now(),
    );
    return rows.map((row) => JSON.parse(row.record as string) as Member);
  }

  acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#file.write((database) => {
      const now = Date.now();
      const lease = database
        .prepare('SELECT holder, token FROM leases WHERE job = ? AND name = ? AND expiresAtMs > ?')
        .get(this.job, name, now);
      if (lease !== undefined && lease.holder !== holder) return undefined;
      const token = (lease?.token as number | undefined) ?? this.#nextToken(database);
      database
        .prepare('INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)')
        .run(this.job, name, holder, token, now + ttlMs);
      return { name, holder, token };
    });
  }

  renewLease(lease: Lease, ttlMs: number): Promise<'renewed' | 'lost'> {
    return this.#file.write((database) => {
      if (!isHeld(database, this.job, lease)) return 'lost';
      database
        .prepare('UPDATE leases SET expiresAtMs = ? WHERE job = ? AND name = ?')
        .run(Date.now() + ttlMs, this.job, lease.name);
      return 'renewed';
    });
  }

  async releaseLease({ name, holder, token }: Lease): Promise<void> {
    await this.#run(
      'DELETE FROM leases WHERE job = ? AND name = ? AND holder = ? AND token = ?',
      name,
      holder,
      token,
    );
  }

  async leases(): Promise<LeaseView[]> {
    const rows = await this.#all(
      'SELECT name, holder, token, expiresAtMs FROM leases WHERE job = ? ORDER BY name',
    );
    const now = Date.now();
    return rows.map((row) => ({
      name: row.name as string,
      holder: row.holder as string,
      token: row.token as number,
      remainingMs: (row.expiresAtMs as number) - now,
    }));
  }

  async placement(): Promise<Placement | undefined> {
    const [row] = await this.#all('SELECT record FROM placements WHERE job = ?');
    return row && (JSON.parse(row.record as string) as Placement);
  }

  async replacePlacement(placement: Placement, expectedEpoch: number, fence: Lease): Promise<WriteOutcome> {
    invariant(placement.epoch === expectedEpoch + 1, 'an epoch follows the one before');
    return this.#file.write((database) => {
      if (!isHeld(database, this.job, fence)) return 'fenced';
      const found = database.prepare('SELECT epoch FROM placements WHERE job = ?').get(this.job);
      if ((found?.epoch ?? 0) !== expectedEpoch) return 'conflict';
      database
        .prepare('INSERT OR REPLACE INTO placements VALUES (?, ?, ?)')
        .run(this.job, placement.epoch, JSON.stringify(placement));
      return 'written';
    });
  }

  async createJob(record: JobRecord): Promise<'created' | 'exists'> {
    const { changes } = await this.#file.write((database) =>
      writeJob(database, 'INSERT OR IGNORE', this.job, record),
    );
    return changes === 1 ? 'created' : 'exists';
  }

  async jobRecord(): Promise<JobRecord | undefined> {
    const [row] = await this.#all(
      'SELECT spec, hash, state, endStep, error, createdAtMs FROM jobs WHERE job = ?',
    );
    return row && ({ ...row, spec: JSON.parse(row.spec as string) } as JobRecord);
  }

  updateJob({ state, endStep, error }: JobChange, fence: Lease): Promise<WriteOutcome> {
    return this.#file.write((database) => {
      if (!isHeld(database, this.job, fence)) return 'fenced';
      const { changes } = database
        .prepare(
          'UPDATE jobs SET state = ifnull(?, state), endStep = ifnull(?, endStep), error = ifnull(?, error) WHERE job = ?',
        )
        .run(state ?? null, endStep ?? null, error ?? null, this.job);
      return changes === 1 ? 'written' : 'conflict';
    });
  }

  replaceJob(record: JobRecord, fence: Lease): Promise<WriteOutcome> {
    return this.#file.write((database) => {
      if (!isHeld(database, this.job, fence)) return 'fenced';
      writeJob(database, 'INSERT OR REPLACE', this.job, record);
      return 'written';
    });
  }

  async appendMetrics(entries: readonly MetricEntry[], batch?: MetricBatch): Promise<void> {
    await this.#file.write((database) => {
      if (batch !== undefined && !this.#isNew(database, batch)) return;
      const last = database
        .prepare('SELECT max(position) AS position FROM metrics WHERE job = ?')
        .get(this.job);
      let position = (last?.position as number | null) ?? 0;
      const insert = database.prepare('INSERT INTO metrics VALUES (?, ?, ?)');
      for (const entry of entries) insert.run(this.job, ++position, JSON.stringify(entry));
      database
        .prepare('DELETE FROM metrics WHERE job = ? AND position <= ?')
        .run(this.job, position - limits.metricsKeptMax);
    });
  }

  async readMetrics(after: string, limit: number): Promise<{ entries: MetricEntry[]; cursor: string }> {
    if (!/^\d*$/.test(after)) {
      throw new TributaryError('INVALID_ARGUMENT', `"${after}" is no cursor of this job's metrics`, {
        hint: "Give the cursor of an earlier answer, or '' to read from the start.",
      });
    }
    const rows = await this.#all(
      'SELECT position, entry FROM metrics WHERE job = ? AND position > ? ORDER BY position LIMIT ?',
      Number(after),
      limit,
    );
    const last = rows.at(-1);
    return {
      entries: rows.map((row) => JSON.parse(row.entry as string) as MetricEntry),
      cursor: last === undefined ? after : String(last.position),
    };
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  #nextToken(database: DatabaseSync): number {
    const row = database
      .prepare('INSERT INTO tokens VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last')
      .get(this.job);
    return row?.last as number;
  }

  /** Notes the batch, unless it or a later one of its writer is there. */
  #isNew(database: DatabaseSync, { writer, sequence }: MetricBatch): boolean {
    const { changes } = database
      .prepare(
        `INSERT INTO metricWriters VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence`,
      )
      .run(this.job, writer, sequence);
    return changes === 1;
  }

  /** One statement that reads; its first parameter is the job. */
  #all(query: string, ...rest: SQLInputValue[]) {
    return this.#file.read((database) => database.prepare(query).all(this.job, ...rest));
  }

  /** One statement that writes; its first parameter is the job. */
  #run(statement: string, ...rest: SQLInputValue[]) {
    return this.#file.read((database) => database.prepare(statement).run(this.job, ...rest));
  }
}

function writeJob(
  database: DatabaseSync,
  how: 'INSERT OR IGNORE' | 'INSERT OR REPLACE',
  job: string,
  record: JobRecord,
) {
  return database
    .prepare(`${how} INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)`)
    .run(
      job,
      JSON.stringify(record.spec),
      record.hash,
      record.state,
      record.endStep,
      record.error,
      record.createdAtMs,
    );
}
