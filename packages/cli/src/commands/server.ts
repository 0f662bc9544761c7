import { Command } from 'commander';
import type { serve } from '../actions/server.ts';
import { flags, listenAddress } from './flags.ts';

export function serverCommand(): Command {
  return new Command('server')
    .summary('hold shards of the parameters and apply the updates')
    .description(
      'Joins a job as a parameter server. It needs no job file: what it is to hold, the controller tells it through the coordinator. It stays when the job has ended, for a controller that resumes it; Ctrl-C ends it.',
    )
    .addOption(flags.coordinator().makeOptionMandatory())
    .addOption(flags.job().makeOptionMandatory())
    .option('--bind <host:port>', 'where to listen; port 0 takes a free one', listenAddress, '127.0.0.1:0')
    .option(
      '--advertise <host:port>',
      'how others reach this server, if not by the bind address',
      listenAddress,
    )
    .addOption(flags.transport())
    .addOption(flags.tlsCa())
    .addOption(flags.tlsCert())
    .addOption(flags.tlsKey())
    .addOption(flags.leaseMs())
    .addOption(flags.trace())
    .addOption(flags.managed())
    .addHelpText(
      'after',
      `
Examples:
  tributary server --coordinator redis://10.0.0.5:6379 --job digits --bind 0.0.0.0:7070 --advertise 10.0.0.7:7070
  tributary server --coordinator sqlite:/tmp/digits.sqlite --job digits`,
    )
    .action(async (...args: Parameters<typeof serve>) =>
      (await import('../actions/server.ts')).serve(...args),
    );
}
