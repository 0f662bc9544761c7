import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { applicationId, schema, schemaVersion } from './schema.ts';
import { isBusy, translateSqliteError } from './translateSqliteError.ts';

/**
 * One database file, shared by the processes of one machine. A transaction is one synchronous turn of the event loop; waiting for another
 * process's transaction is not, so that a server goes on serving meanwhile.
 *
 * Durability: the write-ahead log with `synchronous = NORMAL` loses nothing when a process is killed, and may lose the last transactions when the
 * machine loses power, never their order. That suits leases and metrics, whose holders are gone as well. What must outlive that is written with
 * `durably`: it syncs the log, and with it all that was written before (a checkpoint's chunks before its manifest).
 */
export class SqliteFile {
  readonly path: string;
  readonly database: DatabaseSync;

  private constructor(path: string, database: DatabaseSync) {
    this.path = path;
    this.database = database;
  }

  /** Opens the file, and makes it and its folder if they are missing. */
  static async open(path: string): Promise<SqliteFile> {
    makeFolder(path);
    let database: DatabaseSync;
    try {
      database = new DatabaseSync(path, { timeout: 0 });
    } catch (error) {
      throw translateSqliteError(error, path);
    }
    const file = new SqliteFile(path, database);
    try {
      await file.#prepare();
      return file;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Consistent as far as `work` is one statement. */
  async read<T>(work: (database: DatabaseSync) => T): Promise<T> {
    for (const giveUpAt = Date.now() + limits.sqliteBusyMs; ; ) {
      try {
        return work(this.database);
      } catch (error) {
        if (!isBusy(error) || Date.now() > giveUpAt) throw translateSqliteError(error, this.path);
        await sleep(1 + Math.random() * 10);
      }
    }
  }

  /** One transaction: all of `work` or nothing of it. */
  write<T>(work: (database: DatabaseSync) => T): Promise<T> {
    return this.read((database) => transaction(database, work));
  }

  /** A transaction that is on the disk, with all before it, when this returns. */
  durably<T>(work: (database: DatabaseSync) => T): Promise<T> {
    return this.read((database) => {
      database.exec('PRAGMA synchronous = FULL');
      try {
        return transaction(database, work);
      } finally {
        database.exec('PRAGMA synchronous = NORMAL');
      }
    });
  }

  close(): void {
    if (this.database.isOpen) this.database.close();
  }

  async #prepare(): Promise<void> {
    // Looks before it changes anything: the file may be another program's.
    const found = await this.read(identify);
    if (found.application !== applicationId && found.tables > 0) {
      throw new TributaryError('FAILED_PRECONDITION', `${this.path} is the database of another program`, {
        hint: 'Give another path; the file was left as it is.',
      });
    }
    if (found.version > schemaVersion) {
      throw new TributaryError(
        'FAILED_PRECONDITION',
        `the coordinator file ${this.path} was written by a newer Tributary (version ${found.version} of its tables; this one knows ${schemaVersion})`,
        { hint: 'Use that one, or give another path.' },
      );
    }
    await this.read((database) => database.exec('PRAGMA journal_mode = WAL'));
    await this.write((database) => {
      if (identify(database).tables > 0) return;
      database.exec(
        `${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion};`,
      );
    });
    this.database.exec(`PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${limits.sqliteLogBytes};`);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TributaryError(
      code === 'ENOSPC' ? 'RESOURCE_EXHAUSTED' : 'PERMISSION_DENIED',
      `the folder of the coordinator file ${path} cannot be made (${code})`,
      { hint: 'Give the path of a file in a folder that this user may write.', cause: error },
    );
  }
}

/** IMMEDIATE: whoever reads in it has the right to write already, so that nobody writes between its reading and its writing. */
function transaction<T>(database: DatabaseSync, work: (database: DatabaseSync) => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work(database);
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite itself has rolled back already after some errors, a full disk among them.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Whose file it is. One statement, so that a file just being made is seen empty or whole. */
function identify(database: DatabaseSync) {
  return database
    .prepare(
      `SELECT application_id AS application, user_version AS version, (SELECT count(*) FROM sqlite_schema) AS tables
       FROM pragma_application_id, pragma_user_version`,
    )
    .get() as { application: number; version: number; tables: number };
}
