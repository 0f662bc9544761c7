import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import { runController } from '@tributary/server/controller/Controller.ts';
import { type OverrideFlags, overridesIn } from '../commands/flags.ts';
import { exitCodes } from '../exitCodes.ts';
import { leaveSignal } from '../launcher/leaveSignal.ts';
import { memberId } from '../launcher/memberId.ts';
import { type TransportFlags, transportIn } from '../launcher/transportIn.ts';
import { describeOrigin } from '../parameters/beginFrom.ts';
import { prepareJob } from '../parameters/prepareJob.ts';
import { progressText } from '../progress/progressText.ts';
import { RunProgress } from '../progress/RunProgress.ts';
import { Screen } from '../progress/Screen.ts';

export interface ControllerFlags extends OverrideFlags, TransportFlags {
  readonly coordinator: string;
  readonly job?: string;
  readonly resume?: boolean;
  readonly servers: number;
  readonly workers: number;
  readonly leaseMs: number;
}

export async function control(path: string, given: ControllerFlags): Promise<void> {
  const stop = leaveSignal(false);
  const transport = transportIn(given);
  const { spec, begin } = await prepareJob(path, overridesIn(given));
  const coordinator = await openCoordinator(given.coordinator, given.job ?? spec.name);
  const screen = new Screen(process.stderr);
  const progress = new RunProgress(spec);
  try {
    const result = await runController({
      coordinator,
      memberId: memberId('controller'),
      spec,
      initialParameters: async () => {
        const { parameters, origin } = await begin();
        if (origin !== undefined) screen.line(`info: started from ${describeOrigin(origin)}`);
        return parameters;
      },
      start: given.resume ? 'resume' : 'join',
      servers: given.servers,
      workers: given.workers,
      transport,
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
