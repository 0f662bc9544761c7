import { parseCoordinatorUrl } from './parseCoordinatorUrl.ts';

/** Names of the jobs known at `url`, in order. UNAVAILABLE if it cannot be reached, NOT_FOUND if there is no such file. */
export async function listJobs(url: string): Promise<string[]> {
  const place = parseCoordinatorUrl(url);
  if (place.kind === 'redis') return (await import('./redis/RedisCoordinator.ts')).listRedisJobs(place.url);
  return (await import('./sqlite/SqliteCoordinator.ts')).listSqliteJobs(place.path);
}
