import { openCoordinator } from '@tributary/coordinator/openCoordinator.ts';
import { startServer } from '@tributary/server/ServerProcess.ts';
import { Command, Option } from 'commander';
import { leaveSignal } from '../launcher/leaveSignal.ts';
import { memberId } from '../launcher/memberId.ts';
import { flags } from './flags.ts';
import { processLog } from './processLog.ts';

interface ServerFlags {
  readonly coordinator: string;
  readonly job: string;
  readonly bind: string;
  readonly advertise?: string;
  readonly leaseMs: number;
  readonly managed?: boolean;
}

export function serverCommand(): Command {
  return new Command('server')
    .summary('hold shards of the parameters and apply the updates')
    .description(
      'Joins a job as a parameter server. It needs no job file: what it is to hold, the controller tells it through the coordinator.',
    )
    .addOption(flags.coordinator().makeOptionMandatory())
    .addOption(flags.job().makeOptionMandatory())
    .option('--bind <host:port>', 'where to listen; port 0 takes a free one', '127.0.0.1:0')
    .option('--advertise <host:port>', 'how others reach this server, if not by the bind address')
    .addOption(flags.leaseMs())
    .addOption(new Option('--managed').hideHelp())
    .addHelpText(
      'after',
      `
Examples:
  tributary server --coordinator redis://10.0.0.5:6379 --job digits --bind 0.0.0.0:7070 --advertise 10.0.0.7:7070
  tributary server --coordinator sqlite:/tmp/digits.sqlite --job digits`,
    )
    .action(serve);
}

async function serve(given: ServerFlags): Promise<void> {
  const leave = leaveSignal(given.managed === true);
  const coordinator = await openCoordinator(given.coordinator, given.job);
  const server = await startServer({
    coordinator,
    memberId: memberId('server'),
    bind: given.bind,
    ...(given.advertise === undefined ? {} : { advertise: given.advertise }),
    leaseMs: given.leaseMs,
    log: processLog,
  });
  processLog('info', `serving at ${server.address}`);
  leave.addEventListener('abort', () => void server.stop());
  if (leave.aborted) await server.stop();
  await server.stopped;
  await coordinator.close();
}
