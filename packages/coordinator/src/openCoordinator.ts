import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { Coordinator } from './Coordinator.ts';
import { openRedisCoordinator } from './redis/RedisCoordinator.ts';
import { openSqliteCoordinator } from './sqlite/SqliteCoordinator.ts';

/** Opens the coordinator of `job` at `url`: `redis://…`, `rediss://…` or `sqlite:PATH`. Fails with UNAVAILABLE if it cannot be reached. */
export async function openCoordinator(url: string, job: string): Promise<Coordinator> {
  if (/^rediss?:\/\//.test(url)) return openRedisCoordinator(url, job);
  if (url.startsWith('sqlite:')) return openSqliteCoordinator(url.slice('sqlite:'.length), job);
  throw new TributaryError('INVALID_ARGUMENT', `"${url}" is not a coordinator`, {
    hint: 'Give redis://HOST:PORT or sqlite:PATH.',
  });
}
