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
import { createKeys, jobsKey, type Keys } from './keys.ts';
import { RedisCheckpointStore } from './RedisCheckpointStore.ts';
import { RedisConnection } from './RedisConnection.ts';

export async function openRedisCoordinator(url: string, job: string): Promise<Coordinator> {
  const control = await RedisConnection.open(url, limits.coordinatorReplyMs);
  try {
    // Chunks have a connection of their own: the renewal of a lease never waits behind megabytes.
    const bulk = await RedisConnection.open(url, limits.coordinatorChunkMs);
    return new RedisCoordinator(control, bulk, job);
  } catch (error) {
    await control.close();
    throw error;
  }
}

/** Names of the jobs that a Redis knows, in order. */
export async function listRedisJobs(url: string): Promise<string[]> {
  const connection = await RedisConnection.open(url, limits.coordinatorReplyMs);
  try {
    const names = await connection.call((redis) => redis.smembers(jobsKey));
    return names.sort();
  } finally {
    await connection.close();
  }
}

class RedisCoordinator implements Coordinator {
  readonly url: string;
  readonly job: string;
  readonly checkpoints: CheckpointStore;
  readonly #control: RedisConnection;
  readonly #bulk: RedisConnection;
  readonly #keys: Keys;

  constructor(control: RedisConnection, bulk: RedisConnection, job: string) {
    this.url = control.url;
    this.job = job;
    this.#control = control;
    this.#bulk = bulk;
    this.#keys = createKeys(job);
    this.checkpoints = new RedisCheckpointStore(bulk, this.#keys);
  }

  async join(member: Member, ttlMs: number): Promise<void> {
    await this.#control.run('join', [this.#keys.members], member.id, JSON.stringify(member), ttlMs);
  }

  async leave(memberId: string): Promise<void> {
    await this.#control.call((redis) => redis.hdel(this.#keys.members, memberId));
  }

  async members(): Promise<Member[]> {
    const records = (await this.#control.run('members', [this.#keys.members])) as string[];
    const members = records.map((json) => JSON.parse(json) as Member);
    return members.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    const keys = [this.#keys.leases, this.#keys.token];
    const token = (await this.#control.run('acquireLease', keys, name, holder, ttlMs)) as number | null;
    return token === null ? undefined : { name, holder, token };
  }

  async renewLease(lease: Lease, ttlMs: number): Promise<'renewed' | 'lost'> {
    const outcome = await this.#control.run('renewLease', [this.#keys.leases], ...fenceOf(lease), ttlMs);
    return outcome as 'renewed' | 'lost';
  }

  async releaseLease(lease: Lease): Promise<void> {
    await this.#control.run('releaseLease', [this.#keys.leases], ...fenceOf(lease));
  }

  async leases(): Promise<LeaseView[]> {
    const rows = (await this.#control.run('leases', [this.#keys.leases])) as [
      string,
      string,
      number,
      number,
    ][];
    const views = rows.map(([name, holder, token, remainingMs]) => ({ name, holder, token, remainingMs }));
    return views.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async placement(): Promise<Placement | undefined> {
    const json = await this.#control.call((redis) => redis.hget(this.#keys.placement, 'record'));
    return json === null ? undefined : (JSON.parse(json) as Placement);
  }

  async replacePlacement(placement: Placement, expectedEpoch: number, fence: Lease): Promise<WriteOutcome> {
    invariant(placement.epoch === expectedEpoch + 1, 'an epoch follows the one before');
    return (await this.#control.run(
      'replacePlacement',
      [this.#keys.leases, this.#keys.placement],
      ...fenceOf(fence),
      expectedEpoch,
      placement.epoch,
      JSON.stringify(placement),
    )) as WriteOutcome;
  }

  async createJob(record: JobRecord): Promise<'created' | 'exists'> {
    await this.#control
      .call((redis) => redis.sadd(jobsKey, this.job))
      .catch((error: TributaryError) => {
        // On another node of a Redis Cluster: the job goes unlisted, which costs it nothing. Any other reason meets the next command as well.
        if (error.code !== 'FAILED_PRECONDITION') throw error;
      });
    const outcome = await this.#control.run('createJob', [this.#keys.job], ...jobFields(record));
    return outcome as 'created' | 'exists';
  }

  async jobRecord(): Promise<JobRecord | undefined> {
    const fields = await this.#control.call((redis) => redis.hgetall(this.#keys.job));
    if (fields.spec === undefined) return undefined;
    return {
      spec: JSON.parse(fields.spec),
      hash: fields.hash,
      state: fields.state as JobRecord['state'],
      endStep: Number(fields.endStep),
      error: fields.error,
      createdAtMs: Number(fields.createdAtMs),
    };
  }

  updateJob(change: JobChange, fence: Lease): Promise<WriteOutcome> {
    return this.#writeJob('update', change, fence);
  }

  replaceJob(record: JobRecord, fence: Lease): Promise<WriteOutcome> {
    return this.#writeJob('replace', record, fence);
  }

  async #writeJob(how: 'update' | 'replace', change: JobChange, fence: Lease): Promise<WriteOutcome> {
    const keys = [this.#keys.leases, this.#keys.job];
    return (await this.#control.run(
      'writeJob',
      keys,
      ...fenceOf(fence),
      how,
      ...jobFields(change),
    )) as WriteOutcome;
  }

  async appendMetrics(entries: readonly MetricEntry[], batch?: MetricBatch): Promise<void> {
    await this.#control.run(
      'appendMetrics',
      [this.#keys.metrics, this.#keys.metricsWriters],
      limits.metricsKeptMax,
      batch?.writer ?? '',
      batch?.sequence ?? 0,
      ...entries.map((entry) => JSON.stringify(entry)),
    );
  }

  async readMetrics(after: string, limit: number): Promise<{ entries: MetricEntry[]; cursor: string }> {
    if (!/^(\d+-\d+)?$/.test(after)) {
      throw new TributaryError('INVALID_ARGUMENT', `"${after}" is no cursor of this job's metrics`, {
        hint: "Give the cursor of an earlier answer, or '' to read from the start.",
      });
    }
    // XREAD is exclusive of its start and older than the "(" of XRANGE.
    const streams = await this.#control.call((redis) =>
      redis.xread('COUNT', limit, 'STREAMS', this.#keys.metrics, after === '' ? '0-0' : after),
    );
    const items = streams?.[0]?.[1] ?? [];
    return {
      entries: items.map(([, fields]) => JSON.parse(fields[1]) as MetricEntry),
      cursor: items.at(-1)?.[0] ?? after,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#control.close(), this.#bulk.close()]);
  }
}

function fenceOf(lease: Lease): [string, string, number] {
  return [lease.name, lease.holder, lease.token];
}

/** Field, value, field, value, …: the spec as JSON, all else as it is. */
function jobFields(change: Partial<JobRecord>): (string | number)[] {
  return Object.entries(change).flatMap(([field, value]) =>
    value === undefined ? [] : [field, typeof value === 'object' ? JSON.stringify(value) : value],
  );
}
