import type { CheckpointManifest, CheckpointStore, Lease, WriteOutcome } from '../Coordinator.ts';
import { newestFirst } from '../checkpoints/newestFirst.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './RedisConnection.ts';

export class RedisCheckpointStore implements CheckpointStore {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async putChunk(id: string, index: number, bytes: Uint8Array): Promise<void> {
    await this.#connection.run(
      'putChunk',
      [this.#keys.checkpointsBegun, this.#chunksKey(id)],
      id,
      index,
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    );
  }

  async getChunk(id: string, index: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#connection.call((redis) =>
      redis.hgetBuffer(this.#chunksKey(id), String(index)),
    );
    return bytes === null ? undefined : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async commit(manifest: CheckpointManifest, fence: Lease): Promise<WriteOutcome> {
    return (await this.#connection.run(
      'commitCheckpoint',
      [this.#keys.leases, this.#keys.checkpoints, this.#chunksKey(manifest.id)],
      fence.name,
      fence.holder,
      fence.token,
      manifest.id,
      JSON.stringify(manifest),
      ...manifest.chunks.map((chunk) => chunk.index),
    )) as WriteOutcome;
  }

  async list(): Promise<CheckpointManifest[]> {
    const manifests = await this.#connection.call((redis) => redis.hvals(this.#keys.checkpoints));
    return manifests.map((json) => JSON.parse(json) as CheckpointManifest).sort(newestFirst);
  }

  async retain(keep: number, inProgress: readonly string[]): Promise<void> {
    await this.#connection.run(
      'retainCheckpoints',
      [this.#keys.checkpoints, this.#keys.checkpointsBegun],
      keep,
      this.#keys.chunksPrefix,
      ...inProgress,
    );
  }

  #chunksKey(id: string): string {
    return this.#keys.chunksPrefix + id;
  }
}
