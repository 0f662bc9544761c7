import { Command } from 'commander';
import { actOnJob } from './actOnJob.ts';
import { flags } from './flags.ts';
import { parameterFlags } from './parameterFlags.ts';

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .argument('<job>', 'the job file')
    .summary('loss and accuracy of trained parameters on the test data');
  for (const option of parameterFlags()) command.addOption(option);
  return actOnJob(
    command
      .addOption(flags.compute())
      .addOption(flags.json())
      .addHelpText(
        'after',
        `
Examples:
  tributary evaluate examples/mnist/job.ts
  tributary evaluate job.ts --from model.safetensors --json
  tributary evaluate job.ts --coordinator redis://localhost:6379 --job digits`,
      ),
    async () => (await import('../actions/evaluate.ts')).evaluate,
  );
}
