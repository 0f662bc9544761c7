import { describeTransport, type TransportChoice } from '@tributary/client/transport/transport.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { startServer } from '@tributary/server/ServerProcess.ts';
import { jobsOf, type TakenJob } from '../launcher/jobsOf.ts';
import { leaveSignal } from '../launcher/leaveSignal.ts';
import { memberId } from '../launcher/memberId.ts';
import { tellMissingSettings } from '../launcher/tellMissingSettings.ts';
import { type TransportFlags, transportIn } from '../launcher/transportIn.ts';
import { openTrace } from '../trace/openTrace.ts';
import { processLog } from './processLog.ts';

export interface ServerFlags extends TransportFlags {
  readonly coordinator: string;
  readonly job: string;
  readonly bind: string;
  readonly advertise?: string;
  readonly leaseMs: number;
  readonly trace?: string;
  readonly managed?: boolean;
}

export async function serve(given: ServerFlags): Promise<void> {
  const leave = leaveSignal(given.managed === true);
  const transport = transportIn(given);
  for await (const job of jobsOf(given, leave)) await serveJob(job, transport, given);
}

async function serveJob(
  { coordinator: url, job, stop }: TakenJob,
  transport: TransportChoice,
  given: ServerFlags,
): Promise<void> {
  const coordinator = await openCoordinator(url, job);
  const id = memberId('server');
  const trace = openTrace(given, id);
  const server = await startServer({
    coordinator,
    memberId: id,
    bind: given.bind,
    ...(given.advertise === undefined ? {} : { advertise: given.advertise }),
    transport,
    leaseMs: given.leaseMs,
    trace: trace?.trace,
    log: processLog,
  });
  processLog('info', `serving at ${server.address} by ${describeTransport(transport)}`);
  tellMissingSettings();
  stop.addEventListener('abort', () => void server.stop());
  if (stop.aborted) await server.stop();
  await server.stopped;
  trace?.close();
  await coordinator.close();
}
