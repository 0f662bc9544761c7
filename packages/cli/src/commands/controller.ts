import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { runController } from '@tributary/server/controller/Controller.ts';
import { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import { leaveSignal } from '../launcher/leaveSignal.ts';
import { memberId } from '../launcher/memberId.ts';
import { prepareJob } from '../parameters/prepareJob.ts';
import { progressText } from '../progress/progressText.ts';
import { RunProgress } from '../progress/RunProgress.ts';
import { Screen } from '../progress/Screen.ts';
import { flags, type OverrideFlags, overrideFlags, overridesIn } from './flags.ts';

interface ControllerFlags extends OverrideFlags {
  readonly coordinator: string;
  readonly job?: string;
  readonly resume?: boolean;
  readonly servers: number;
  readonly workers: number;
  readonly leaseMs: number;
}

export function controllerCommand(): Command {
  const command = new Command('controller')
    .argument('<job>', 'the job file')
    .summary('create a job, place its shards and ranks, and see it to its end')
    .description(
      'Creates the job at the coordinator, or takes over one that runs there without a controller. Start servers and workers with the same\n--coordinator and --job, on any machines, before or after.',
    )
    .addOption(flags.coordinator().makeOptionMandatory())
    .addOption(flags.job())
    .addOption(flags.servers().default(1))
    .addOption(flags.workers().default(1))
    .option('--resume', 'go on with a job that was stopped, from its newest checkpoint');
  for (const option of overrideFlags()) command.addOption(option);
  return command
    .addOption(flags.leaseMs())
    .addHelpText(
      'after',
      `
--servers and --workers say how many to wait for; more may come later. Ctrl-C ends the job with a checkpoint.

Example:
  tributary controller job.ts --coordinator redis://10.0.0.5:6379 --job digits --servers 2 --workers 4`,
    )
    .action(control);
}

async function control(path: string, given: ControllerFlags): Promise<void> {
  const stop = leaveSignal(false);
  const { spec, initialParameters } = await prepareJob(path, overridesIn(given));
  const coordinator = await openCoordinator(given.coordinator, given.job ?? spec.name);
  const screen = new Screen(process.stderr);
  const progress = new RunProgress(spec);
  try {
    const result = await runController({
      coordinator,
      memberId: memberId('controller'),
      spec,
      initialParameters,
      start: given.resume ? 'resume' : 'join',
      servers: given.servers,
      workers: given.workers,
      leaseMs: given.leaseMs,
      stop,
      log: (level, message) => screen.line(`${level}: ${message}`),
      onMetric: (entry) => {
        progress.add(entry);
        if (entry.kind === 'step') screen.bottom(progressText(progress.now(), spec));
      },
      onPlaced: () => progress.start(Date.now()),
    });
    screen.clear();
    if (result.state === 'failed') throw new TributaryError('ABORTED', `the job failed: ${result.error}`);
    screen.line(`${result.state}: checkpoint ${result.checkpoint.id} at step ${result.checkpoint.step}`);
    if (stop.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    screen.clear();
    await coordinator.close();
  }
}
