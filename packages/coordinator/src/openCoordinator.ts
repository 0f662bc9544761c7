import type { Coordinator } from './Coordinator.ts';
import { parseCoordinatorUrl } from './parseCoordinatorUrl.ts';

/** Opens the coordinator of `job` at `url`: `redis://…`, `rediss://…` or `sqlite:PATH`. Fails with UNAVAILABLE if it cannot be reached. */
export async function openCoordinator(url: string, job: string): Promise<Coordinator> {
  const place = parseCoordinatorUrl(url);
  // Every process of a cluster starts with this: it loads the library of its own store, not of the other.
  if (place.kind === 'redis') {
    const { openRedisCoordinator } = await import('./redis/RedisCoordinator.ts');
    return openRedisCoordinator(place.url, job);
  }
  const { openSqliteCoordinator } = await import('./sqlite/SqliteCoordinator.ts');
  return openSqliteCoordinator(place.path, job);
}
