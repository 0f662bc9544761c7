import { limits } from '@tributary/core/limits/limits.ts';
import { Command, InvalidArgumentError, Option } from 'commander';
import { actOnJob } from './actOnJob.ts';
import { positiveNumber, trialFlags, wholeNumber } from './flags.ts';

function passesOrNone(text: string): number {
  return text === '0' ? 0 : positiveNumber(text);
}

function trialsCount(text: string): number {
  const count = wholeNumber(1)(text);
  if (count <= limits.trialsMax) return count;
  throw new InvalidArgumentError(`It must be ${limits.trialsMax} at most.`);
}

export function tuneCommand(): Command {
  const command = new Command('tune')
    .argument('<job>', 'the job file')
    .summary('find a learning rate, a batch size, or any hyperparameters for a job')
    .description(
      'Without --search: trains while the learning rate grows until the loss explodes, says which rate to take, and measures the gradient noise scale, which says what batch size pays. With --search: tries values of hyperparameters, of the batch size, of the method and of the options of the job by successive halving. Leaves a folder with an HTML report and the numbers as JSON.',
    )
    .addOption(
      new Option('--search <space>', 'what to try: "learningRate=1e-4..1e-1:log,batchSize=16|32|64"'),
    )
    .addOption(new Option('--trials <n>', 'points of the search').argParser(trialsCount).default(9))
    .addOption(
      new Option('--eta <n>', 'one in so many goes on to the next rung, with so many times the passes')
        .argParser(wholeNumber(2))
        .default(3),
    )
    .addOption(
      new Option(
        '--passes <n>',
        "passes over the data of the last rung (default: the job's own length)",
      ).argParser(positiveNumber),
    )
    .addOption(
      new Option('--passes-min <n>', 'passes of the first rung, at least (default: 1)').argParser(
        positiveNumber,
      ),
    )
    .addOption(
      new Option('--parallel <n>', 'trials of the search at the same time, on as many clusters')
        .argParser(wholeNumber(1))
        .default(1),
    )
    .addOption(
      new Option('--rate-from <rate>', 'where the learning rate begins')
        .argParser(positiveNumber)
        .conflicts('search')
        .default(1e-6),
    )
    .addOption(
      new Option('--rate-to <rate>', 'where it ends')
        .argParser(positiveNumber)
        .conflicts('search')
        .default(10),
    )
    .addOption(
      new Option('--rate-steps <n>', 'steps from there to there')
        .argParser(wholeNumber(10))
        .conflicts('search')
        .default(150),
    )
    .addOption(
      new Option('--noise-passes <n>', 'passes over which the noise scale is measured; 0: it is not')
        .argParser(passesOrNone)
        .conflicts('search')
        .default(1),
    );
  for (const option of trialFlags(['seed', 'ranks', 'batchSize', 'staleness', 'startFrom']))
    command.addOption(option);
  return actOnJob(
    command.addHelpText(
      'after',
      `
A search names ranges (1e-4..1e-1, even in the logarithm with :log, whole numbers with :int) and choices (16|32|64) of: hyperparameters
of the method, batchSize, method, and options that the job file declares. Trials are judged by the loss on the test data, if the job
has any. Ctrl-C reports what is known by then, and exits with 130.

Examples:
  tributary tune examples/mnist/job.ts
  tributary tune examples/mnist/job.ts --search "learningRate=1e-4..1e-1:log,batchSize=16|32|64" --passes 9
  tributary tune examples/mnist/job.ts --search "model=mlp|cnn,method=adam|momentum" --parallel 2`,
    ),
    async () => (await import('../actions/tune.ts')).tune,
  );
}
