import type { TransportChoice } from '@tributary/client/transport/transport.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { startAggregator } from '@tributary/server/aggregator/AggregatorProcess.ts';
import { jobsOf, type TakenJob } from '../launcher/jobsOf.ts';
import { leaveSignal } from '../launcher/leaveSignal.ts';
import { tellMissingSettings } from '../launcher/tellMissingSettings.ts';
import { type TransportFlags, transportIn } from '../launcher/transportIn.ts';
import { processLog } from './processLog.ts';

export interface AggregatorFlags extends TransportFlags {
  readonly coordinator: string;
  readonly job: string;
  readonly bind: string;
  readonly managed?: boolean;
}

export async function aggregate(given: AggregatorFlags): Promise<void> {
  const leave = leaveSignal(given.managed === true);
  const transport = transportIn(given);
  for await (const job of jobsOf(given, leave)) await aggregateFor(job, transport, given.bind);
}

async function aggregateFor(
  { coordinator: url, job, stop }: TakenJob,
  transport: TransportChoice,
  bind: string,
): Promise<void> {
  const coordinator = await openCoordinator(url, job);
  try {
    const aggregator = await startAggregator({ coordinator, bind, transport, log: processLog });
    processLog('info', `gathering at ${bind}`);
    tellMissingSettings();
    stop.addEventListener('abort', () => void aggregator.stop());
    if (stop.aborted) await aggregator.stop();
    await aggregator.stopped;
  } finally {
    await coordinator.close();
  }
}
