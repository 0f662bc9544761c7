import type { CheckpointManifest, CheckpointStore, Lease, WriteOutcome } from '../Coordinator.ts';
import { newestFirst } from '../checkpoints/newestFirst.ts';
import { isHeld } from './isHeld.ts';
import type { SqliteFile } from './SqliteFile.ts';

export class SqliteCheckpointStore implements CheckpointStore {
  readonly #file: SqliteFile;
  readonly #job: string;

  constructor(file: SqliteFile, job: string) {
    this.#file = file;
    this.#job = job;
  }

  async putChunk(id: string, index: number, bytes: Uint8Array): Promise<void> {
    await this.#file.write((database) =>
      database.prepare('INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?)').run(this.#job, id, index, bytes),
    );
  }

  async getChunk(id: string, index: number): Promise<Uint8Array | undefined> {
    const row = await this.#file.read((database) =>
      database
        .prepare('SELECT bytes FROM chunks WHERE job = ? AND checkpoint = ? AND position = ?')
        .get(this.#job, id, index),
    );
    return row?.bytes as Uint8Array | undefined;
  }

  commit(manifest: CheckpointManifest, fence: Lease): Promise<WriteOutcome> {
    return this.#file.durably((database) => {
      if (!isHeld(database, this.#job, fence)) return 'fenced';
      const taken = database.prepare('SELECT 1 FROM checkpoints WHERE job = ? AND id = ?');
      if (taken.get(this.#job, manifest.id) !== undefined) return 'conflict';
      const stored = database.prepare(
        'SELECT 1 FROM chunks WHERE job = ? AND checkpoint = ? AND position = ?',
      );
      const isStored = (index: number) => stored.get(this.#job, manifest.id, index) !== undefined;
      if (!manifest.chunks.every((chunk) => isStored(chunk.index))) return 'conflict';
      database
        .prepare('INSERT INTO checkpoints VALUES (?, ?, ?)')
        .run(this.#job, manifest.id, JSON.stringify(manifest));
      return 'written';
    });
  }

  async list(): Promise<CheckpointManifest[]> {
    const rows = await this.#file.read((database) =>
      database.prepare('SELECT manifest FROM checkpoints WHERE job = ?').all(this.#job),
    );
    return rows.map((row) => JSON.parse(row.manifest as string) as CheckpointManifest).sort(newestFirst);
  }

  async retain(keep: number, inProgress: readonly string[]): Promise<void> {
    await this.#file.write((database) => {
      const committed = database
        .prepare('SELECT manifest FROM checkpoints WHERE job = ?')
        .all(this.#job)
        .map((row) => JSON.parse(row.manifest as string) as CheckpointManifest)
        .sort(newestFirst);
      const remove = database.prepare('DELETE FROM checkpoints WHERE job = ? AND id = ?');
      for (const { id } of committed.slice(keep)) remove.run(this.#job, id);

      const kept = [...committed.slice(0, keep).map(({ id }) => id), ...inProgress];
      database
        .prepare('DELETE FROM chunks WHERE job = ? AND checkpoint NOT IN (SELECT value FROM json_each(?))')
        .run(this.#job, JSON.stringify(kept));
    });
  }
}
