/** Grows with each change of the tables; kept in the file as `user_version`. */
export const schemaVersion = 1;

/** Marks the file as ours ("TRIB"), so that the database of another program is never written to. */
export const applicationId = 0x54524942;

/** All jobs of a folder may share one file. */
export const schema = `
CREATE TABLE jobs (
  job TEXT PRIMARY KEY, spec TEXT NOT NULL, hash TEXT NOT NULL, state TEXT NOT NULL, endStep INTEGER NOT NULL, error TEXT NOT NULL,
  createdAtMs INTEGER NOT NULL
) STRICT;

CREATE TABLE members (
  job TEXT, id TEXT, record TEXT NOT NULL, expiresAtMs INTEGER NOT NULL,
  PRIMARY KEY (job, id)
) STRICT, WITHOUT ROWID;

-- A lease outlives its time; only a release or another holder removes it.
CREATE TABLE leases (
  job TEXT, name TEXT, holder TEXT NOT NULL, token INTEGER NOT NULL, expiresAtMs INTEGER NOT NULL,
  PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;

-- The last fencing token given. Never goes back.
CREATE TABLE tokens (job TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE placements (job TEXT PRIMARY KEY, epoch INTEGER NOT NULL, record TEXT NOT NULL) STRICT;

-- Positions count from 1 within a job; the newest is never trimmed.
CREATE TABLE metrics (
  job TEXT, position INTEGER, entry TEXT NOT NULL,
  PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE metricWriters (
  job TEXT, writer TEXT, sequence INTEGER NOT NULL,
  PRIMARY KEY (job, writer)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunks (
  job TEXT, checkpoint TEXT, position INTEGER, bytes BLOB NOT NULL,
  PRIMARY KEY (job, checkpoint, position)
) STRICT;

-- The checkpoints that exist.
CREATE TABLE checkpoints (
  job TEXT, id TEXT, manifest TEXT NOT NULL,
  PRIMARY KEY (job, id)
) STRICT, WITHOUT ROWID;
`;
