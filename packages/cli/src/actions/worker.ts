import { resolve } from 'node:path';
import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import { runWorker } from '@tributary/worker/training/WorkerProcess.ts';
import { jobsOf, type TakenJob } from '../launcher/jobsOf.ts';
import { leaveSignal } from '../launcher/leaveSignal.ts';
import { memberId } from '../launcher/memberId.ts';
import { tellMissingSettings } from '../launcher/tellMissingSettings.ts';
import { type TransportFlags, transportIn } from '../launcher/transportIn.ts';
import { openTrace } from '../trace/openTrace.ts';
import { processLog } from './processLog.ts';

export interface WorkerFlags extends TransportFlags {
  readonly coordinator: string;
  readonly job?: string;
  readonly compute: ComputeChoice;
  readonly computeThreads: number;
  readonly selfCheck: boolean;
  readonly aggregator?: string;
  readonly leaseMs: number;
  readonly trace?: string;
  readonly managed?: boolean;
}

export async function work(path: string, given: WorkerFlags): Promise<void> {
  const leave = leaveSignal(given.managed === true);
  const transport = transportIn(given);
  const job = given.managed ? '' : await jobName(path, given);
  for await (const taken of jobsOf({ ...given, job }, leave))
    await workAt(taken, resolve(path), transport, given);
}

/** A launcher has loaded the file and gives the names of its jobs, and the thread that computes loads it too: only a worker that was started by hand does so here. */
async function jobName(path: string, given: WorkerFlags): Promise<string> {
  const { loadJob } = await import('@tributary/worker/job/loadJob.ts');
  const { job } = await loadJob(path);
  return given.job ?? job.name;
}

async function workAt(
  { coordinator: url, job, stop }: TakenJob,
  jobFile: string,
  transport: TransportChoice,
  { compute, computeThreads, selfCheck, leaseMs, ...given }: WorkerFlags,
): Promise<void> {
  const coordinator = await openCoordinator(url, job);
  tellMissingSettings();
  const id = memberId('worker');
  const trace = openTrace(given, id);
  try {
    const failure = await runWorker({
      ...{ coordinator, memberId: id, jobFile, compute, computeThreads, selfCheck },
      ...{ transport, aggregator: given.aggregator, leaseMs, stop, trace: trace?.trace, log: processLog },
    });
    // A launcher hears of it from the job itself.
    if (failure !== undefined && !given.managed)
      throw new TributaryError('ABORTED', `the job failed: ${failure}`);
  } finally {
    trace?.close();
    await coordinator.close();
  }
}
