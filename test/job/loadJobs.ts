import type { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';

/** A process of its own, as Node's loader is what is tested: loads each of the given files and prints what came of it, one JSON value a line. */
for (const path of process.argv.slice(2)) {
  try {
    const { job, file } = await loadJob(path);
    const train = await job.data.train.open();
    console.log(JSON.stringify({ file, name: job.name, size: train.size }));
    await train.close();
  } catch (error) {
    const { name, code, message, hint } = error as TributaryError;
    console.log(JSON.stringify({ name, code, message, hint }));
  }
}
