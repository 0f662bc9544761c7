import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { listJobs } from './listJobs.ts';

/** Throws NOT_FOUND unless the coordinator is there and knows the job. For commands that only look: to open a coordinator would make its file. */
export async function assertJob(url: string, job: string): Promise<void> {
  if ((await listJobs(url)).includes(job)) return;
  throw new TributaryError('NOT_FOUND', `the coordinator knows no job "${job}"`, {
    hint: '`tributary status --coordinator URL` lists those that it knows.',
  });
}
