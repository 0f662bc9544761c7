import { Command } from 'commander';
import type { aggregate } from '../actions/aggregator.ts';
import { flags, unixAddress } from './flags.ts';

export function aggregatorCommand(): Command {
  return new Command('aggregator')
    .summary('add the gradients of one host before they travel')
    .description(
      'Stands between the workers of this host and the servers of a synchronous job: their gradients are added along the reduction tree and pushed once, and parameters are pulled once for all, so that the traffic of a host does not grow with its workers. The results are the same bits. It holds nothing of its own: without it, workers go to the servers.',
    )
    .addOption(flags.coordinator().makeOptionMandatory())
    .addOption(flags.job().makeOptionMandatory())
    .requiredOption('--bind <unix:path>', 'where to listen, for the workers of this host', unixAddress)
    .addOption(flags.transport())
    .addOption(flags.tlsCa())
    .addOption(flags.tlsCert())
    .addOption(flags.tlsKey())
    .addOption(flags.managed())
    .addHelpText(
      'after',
      `
Gradients that are encoded go to the servers as they are, for what encoding takes from a rank belongs to that rank.
It is started once on each host with several workers.

Examples:
  tributary aggregator --coordinator redis://10.0.0.5:6379 --job digits --bind unix:/run/digits.sock
  tributary worker job.ts --coordinator redis://10.0.0.5:6379 --aggregator unix:/run/digits.sock`,
    )
    .action(async (...args: Parameters<typeof aggregate>) =>
      (await import('../actions/aggregator.ts')).aggregate(...args),
    );
}
