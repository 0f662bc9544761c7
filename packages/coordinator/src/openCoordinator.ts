import type { Coordinator } from './Coordinator.ts';
import { parseCoordinatorUrl } from './parseCoordinatorUrl.ts';
import { openRedisCoordinator } from './redis/RedisCoordinator.ts';
import { openSqliteCoordinator } from './sqlite/SqliteCoordinator.ts';

/** Opens the coordinator of `job` at `url`: `redis://…`, `rediss://…` or `sqlite:PATH`. Fails with UNAVAILABLE if it cannot be reached. */
export async function openCoordinator(url: string, job: string): Promise<Coordinator> {
  const place = parseCoordinatorUrl(url);
  return place.kind === 'redis'
    ? openRedisCoordinator(place.url, job)
    : openSqliteCoordinator(place.path, job);
}
