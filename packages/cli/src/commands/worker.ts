import { Command } from 'commander';
import type { work } from '../actions/worker.ts';
import { flags, unixAddress } from './flags.ts';

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
    .addOption(flags.transport())
    .option('--aggregator <unix:path>', 'an aggregator of this host, to go by way of', unixAddress)
    .addOption(flags.tlsCa())
    .addOption(flags.tlsCert())
    .addOption(flags.tlsKey())
    .addOption(flags.leaseMs())
    .addOption(flags.trace())
    .addOption(flags.managed())
    .addHelpText(
      'after',
      `
Workers may come and go while the job runs. Without --job the name in the job file is taken.

Example:
  tributary worker job.ts --coordinator redis://10.0.0.5:6379 --job digits`,
    )
    .action(async (...args: Parameters<typeof work>) => (await import('../actions/worker.ts')).work(...args));
}
