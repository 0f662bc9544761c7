import { Command } from 'commander';
import { actOnJob } from './actOnJob.ts';
import { flags, wholeNumber } from './flags.ts';
import { parameterFlags } from './parameterFlags.ts';

export function predictCommand(): Command {
  const command = new Command('predict')
    .argument('<job>', 'the job file; its model must have predict(parameters, batch)')
    .summary('what a trained model says of given examples, as JSON lines')
    .option(
      '--input <file>',
      'JSON lines, one example each, with the fields that predict reads (default: the test data of the job)',
    )
    .option('--first <n>', 'only so many examples', wholeNumber(1), 10);
  for (const option of parameterFlags()) command.addOption(option);
  return actOnJob(
    command.addOption(flags.compute()).addHelpText(
      'after',
      `
Prints one line for each example: {"example": 0, "prediction": ...}, and the other fields of the example that are single numbers.

Examples:
  tributary predict examples/mnist/job.ts --first 5
  tributary predict job.ts --input new.jsonl --from model.safetensors`,
    ),
    async () => (await import('../actions/predict.ts')).predict,
  );
}
