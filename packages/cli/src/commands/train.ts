import { Command } from 'commander';
import { actOnJob } from './actOnJob.ts';
import { flags, overrideFlags } from './flags.ts';

export function trainCommand(): Command {
  const command = new Command('train')
    .argument('<job>', 'the job file: TypeScript that default-exports defineJob({ ... })')
    .summary('train a model on a cluster of local processes')
    .description(
      'Starts servers and workers on this machine, trains the model of the job file, and leaves a run folder with a checkpoint, metrics, a loss curve and the trained parameters.',
    )
    .addOption(flags.servers())
    .addOption(flags.workers())
    .addOption(flags.coordinator())
    .addOption(flags.job())
    .option('--resume', 'go on from the newest checkpoint of the newest run of this job')
    .addOption(flags.runs());
  for (const option of overrideFlags()) command.addOption(option);
  return actOnJob(
    command
      .addOption(flags.compute())
      .addOption(flags.computeThreads())
      .addOption(flags.noSelfCheck())
      .addOption(flags.transport())
      .option('--aggregate', 'let the workers share an aggregator, as workers of one host of several would')
      .addOption(flags.leaseMs())
      .addOption(flags.printEvery())
      .addOption(flags.trace())
      .option('--verbose', 'show what every process says')
      .addOption(flags.json())
      .addHelpText(
        'after',
        `
Options that the job file declares are flags too: tributary train examples/mnist/job.ts --model cnn
Without --coordinator the cluster agrees through an SQLite file in the run folder; nothing has to be installed.
Ctrl-C stops cleanly, with a checkpoint, and exits with 130.

Examples:
  tributary train examples/mnist/job.ts
  tributary train job.ts --workers 4 --staleness 2 --epochs 20
  tributary train job.ts --coordinator redis://localhost:6379
  tributary train job.ts --resume --epochs 40
  tributary train job.ts --json > summary.json`,
      ),
    async () => (await import('../actions/train.ts')).train,
  );
}
