import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import type { ComputeChoice } from '@tributary/worker/compute/openBackend.ts';
import { loadJob } from '@tributary/worker/job/loadJob.ts';
import { runWorker } from '@tributary/worker/training/WorkerProcess.ts';
import { Command, Option } from 'commander';
import { leaveSignal } from '../launcher/leaveSignal.ts';
import { memberId } from '../launcher/memberId.ts';
import { flags } from './flags.ts';
import { processLog } from './processLog.ts';

interface WorkerFlags {
  readonly coordinator: string;
  readonly job?: string;
  readonly compute: ComputeChoice;
  readonly computeThreads: number;
  readonly selfCheck: boolean;
  readonly leaseMs: number;
  readonly managed?: boolean;
}

export function workerCommand(): Command {
  return new Command('worker')
    .argument('<job>', 'the job file, the same as everywhere in this job')
    .summary('compute gradients for ranks of a job')
    .description(
      'Joins a job as a worker. It waits for the job, takes the ranks that the controller gives it, and leaves when the job ends.',
    )
    .addOption(flags.coordinator().makeOptionMandatory())
    .addOption(flags.job())
    .addOption(flags.compute())
    .addOption(flags.computeThreads())
    .addOption(flags.noSelfCheck())
    .addOption(flags.leaseMs())
    .addOption(new Option('--managed').hideHelp())
    .addHelpText(
      'after',
      `
Workers may come and go while the job runs. Without --job the name in the job file is taken.

Example:
  tributary worker job.ts --coordinator redis://10.0.0.5:6379 --job digits`,
    )
    .action(work);
}

async function work(path: string, given: WorkerFlags): Promise<void> {
  const leave = leaveSignal(given.managed === true);
  const { job, file } = await loadJob(path);
  const coordinator = await openCoordinator(given.coordinator, given.job ?? job.name);
  try {
    await runWorker({
      coordinator,
      memberId: memberId('worker'),
      jobFile: file,
      compute: given.compute,
      computeThreads: given.computeThreads,
      selfCheck: given.selfCheck,
      leaseMs: given.leaseMs,
      stop: leave,
      log: processLog,
    });
  } finally {
    await coordinator.close();
  }
}
