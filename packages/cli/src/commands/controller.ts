import { Command } from 'commander';
import { actOnJob } from './actOnJob.ts';
import { flags, overrideFlags } from './flags.ts';

export function controllerCommand(): Command {
  const command = new Command('controller')
    .argument('<job>', 'the job file')
    .summary('create a job, place its shards and ranks, and see it to its end')
    .description(
      'Creates the job at the coordinator, or takes over one that runs there without a controller. Start servers and workers with the same --coordinator and --job, on any machines, before or after.',
    )
    .addOption(flags.coordinator().makeOptionMandatory())
    .addOption(flags.job())
    .addOption(flags.servers().default(1))
    .addOption(flags.workers().default(1))
    .option('--resume', 'go on with a job that was stopped, from its newest checkpoint');
  for (const option of overrideFlags()) command.addOption(option);
  return actOnJob(
    command
      .addOption(flags.transport())
      .addOption(flags.tlsCa())
      .addOption(flags.tlsCert())
      .addOption(flags.tlsKey())
      .addOption(flags.leaseMs())
      .addHelpText(
        'after',
        `
--servers and --workers say how many to wait for; more may come later. Ctrl-C ends the job with a checkpoint.

Example:
  tributary controller job.ts --coordinator redis://10.0.0.5:6379 --job digits --servers 2 --workers 4`,
      ),
    async () => (await import('../actions/controller.ts')).control,
  );
}
