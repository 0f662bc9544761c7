import { describeTransport } from '@tributary/client/transport/transport.ts';
import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { startServer } from '@tributary/server/ServerProcess.ts';
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
  const coordinator = await openCoordinator(given.coordinator, given.job);
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
  leave.addEventListener('abort', () => void server.stop());
  if (leave.aborted) await server.stop();
  await server.stopped;
  trace?.close();
  await coordinator.close();
}
