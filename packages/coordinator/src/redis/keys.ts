import { invariant } from '@tributary/core/errors/invariant.ts';

/** The names of all jobs of a Redis. The only key without a job's tag: it belongs to none. */
export const jobsKey = 'tributary:jobs';

/**
 * Every key of one job. The braces are Redis Cluster's hash tag: keys with equal tags live on one node, so that a Lua script may touch several.
 * The name is percent-encoded; else a brace in it would end the tag early.
 */
export function createKeys(job: string) {
  invariant(job !== '', 'a job has a name');
  const prefix = `tributary:{${encodeURIComponent(job)}}:`;
  return {
    /** Hash: spec (JSON), hash, state, endStep, error, createdAtMs. */
    job: `${prefix}job`,
    /** Hash: member id -> {record: JSON of the member, expiresAtMs}. */
    members: `${prefix}members`,
    /** Hash: lease name -> {holder, token, expiresAtMs}. An entry outlives its time; only a release or another holder removes it. */
    leases: `${prefix}leases`,
    /** Integer: the last fencing token given. Never goes back. */
    token: `${prefix}token`,
    /** Hash: epoch, record (JSON). */
    placement: `${prefix}placement`,
    /** Stream: field `entry` (JSON). */
    metrics: `${prefix}metrics`,
    /** Hash: writer -> sequence of its last batch in the stream. */
    metricsWriters: `${prefix}metrics:writers`,
    /** Hash: checkpoint id -> manifest (JSON). The checkpoints that exist. */
    checkpoints: `${prefix}checkpoints`,
    /** Set: ids of all checkpoints that have chunks, committed or in the making. */
    checkpointsBegun: `${prefix}checkpoints:begun`,
    /** With a checkpoint's id appended, hash: chunk index -> bytes. */
    chunksPrefix: `${prefix}chunks:`,
  } as const;
}

export type Keys = ReturnType<typeof createKeys>;
