import { parseCoordinatorUrl } from './parseCoordinatorUrl.ts';
import { listRedisJobs } from './redis/RedisCoordinator.ts';
import { listSqliteJobs } from './sqlite/SqliteCoordinator.ts';

/** Names of the jobs known at `url`, in order. UNAVAILABLE if it cannot be reached, NOT_FOUND if there is no such file. */
export async function listJobs(url: string): Promise<string[]> {
  const place = parseCoordinatorUrl(url);
  return place.kind === 'redis' ? listRedisJobs(place.url) : listSqliteJobs(place.path);
}
