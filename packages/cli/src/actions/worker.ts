import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { runWorker } from '@tributary/worker/training/WorkerProcess.ts';
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
  readonly leaseMs: number;
  readonly trace?: string;
  readonly managed?: boolean;
}

export async function work(path: string, given: WorkerFlags): Promise<void> {
  const leave = leaveSignal(given.managed === true);
  const transport = transportIn(given);
  const { job, file } = await loadJob(path);
  const coordinator = await openCoordinator(given.coordinator, given.job ?? job.name);
  tellMissingSettings();
  const id = memberId('worker');
  const trace = openTrace(given, id);
  try {
    await runWorker({
      coordinator,
      memberId: id,
      jobFile: file,
      compute: given.compute,
      computeThreads: given.computeThreads,
      selfCheck: given.selfCheck,
      transport,
      leaseMs: given.leaseMs,
      stop: leave,
      trace: trace?.trace,
      log: processLog,
    });
  } finally {
    trace?.close();
    await coordinator.close();
  }
}
